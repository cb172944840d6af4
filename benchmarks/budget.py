"""What is measured, what it may cost (the bar), what it should cost (the aim), and how a table of it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Budget:
    """A row of the table. `unit` is x for a ratio, % for a share, ms or us for a time, MB for memory; less is better everywhere."""

    name: str
    unit: str
    bar: float
    aim: float


CHAT = Budget("a chat completion / an empty POST route (server CPU)", "x", 1.8, 1.3)
STREAM = Budget("a streamed chat of a dozen chunks / an empty POST route (server CPU)", "x", 2.6, 1.8)
EVENT = Budget("a paced event / an event of a bare generator (server CPU)", "x", 2.0, 1.2)
SHARE = Budget("the server's share of an in-process SDK call", "%", 12, 6)
COLD = Budget("cold process to first answer / import openai", "x", 0.6, 0.4)
RESOURCE = Budget("a fresh resource for one test", "ms", 0.3, 0.1)
START = Budget("server start to first answer, imports done", "ms", 5, 3)
STOP = Budget("server stop", "ms", 2, 1)
UPLOAD = Budget("an upload of 512 MB and its download, peak memory", "MB", 64, 16)
INDEX = Budget("a megabyte of text indexed by a vector store", "ms", 500, 250)
SEARCH = Budget("a search in 10,000 chunks", "ms", 5, 2)
REOPEN = Budget("a state file with 10,000 chunks opened and searched", "ms", 1_000, 300)
BATCH = Budget("a batch of 10,000 lines (CPU)", "ms", 20_000, 2_000)
TURN = Budget("the longest turn of a batch (CPU)", "ms", 20, 11)
RESPOND = Budget("a chat completion without a socket", "us", 65, 40)


@dataclass(frozen=True, slots=True)
class Figure:
    """A budget as it was measured; `detail` says what the value was made of."""

    budget: Budget
    value: float
    detail: str = ""

    @property
    def kept(self) -> bool:
        """Whether the bar is reached."""
        return self.value <= self.budget.bar


@dataclass(slots=True)
class Findings:
    """Figures that have a bar, and notes that have none."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def extend(self, other: Findings) -> None:
        """Take over what another measurement found."""
        self.figures += other.figures
        self.notes += other.notes

    @property
    def missed(self) -> list[Figure]:
        """The figures over their bar."""
        return [figure for figure in self.figures if not figure.kept]


def table(findings: Findings) -> str:
    """Every figure with its bar and aim, then the notes."""
    width = max(len(figure.budget.name) for figure in findings.figures)
    lines = [f"{'':{width}} {'measured':>10} {'bar':>9} {'aim':>9}"]
    lines += [_row(figure, width) for figure in findings.figures]
    return "\n".join([*lines, "", *(f"  {note}" for note in findings.notes)])


def _row(figure: Figure, width: int) -> str:
    budget = figure.budget
    columns = [_number(value, budget.unit) for value in (figure.value, budget.bar, budget.aim)]
    verdict = "aim" if figure.value <= budget.aim else "ok" if figure.kept else "MISSED"
    return f"{budget.name:{width}} {columns[0]:>10} {columns[1]:>9} {columns[2]:>9}  {verdict:6}  {figure.detail}".rstrip()


def _number(value: float, unit: str) -> str:
    number = f"{value:.2f}" if value < 100 else f"{value:.0f}"
    return f"{number} {unit}" if unit in ("ms", "us", "MB") else f"{number}{unit}"


def median(values: Sequence[float]) -> float:
    """The middle value; of an even number the higher of the two in the middle."""
    return sorted(values)[len(values) // 2]
