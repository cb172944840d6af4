"""Server CPU over TCP: chat completions, streams and paced events, each against its floor, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks import workload
from benchmarks.budget import CHAT, EVENT, STREAM, Figure, Findings, median
from benchmarks.load import Load
from benchmarks.serving import Serving

_STREAMS = 8
_WARM = 1_100  # more than the journal keeps, so that it is full


@dataclass(slots=True)
class Cost:
    """Server CPU of one kind of request, in microseconds, round by round."""

    server: Serving
    request: bytes
    connections: int = 32
    rounds: list[float] = field(default_factory=list)

    def measure(self, load: Load, count: int) -> None:
        """One more round of so many requests."""
        before = self.server.cpu()
        load.send(self.server.port, self.request, count, self.connections)
        self.rounds.append((self.server.cpu() - before) / count * 1e6)

    def over(self, floor: Cost) -> float:
        """How many times the floor this costs: the median of the rounds' ratios."""
        return median([one / other for one, other in zip(self.rounds, floor.rounds, strict=True)])

    def __str__(self) -> str:
        return f"{median(self.rounds):.0f} us"


def requests(rounds: int, count: int) -> Findings:
    """What plain and streamed answers to requests that all differ cost, beside an empty POST route."""
    with _started("empty", "ours", "ours", "ours", "ours", "ours-logging") as servers:
        weather, capital = workload.WEATHER, workload.CAPITAL
        bodies = (weather, weather, capital, workload.repeated(weather), workload.repeated(capital), weather)
        costs = [Cost(server, workload.http(body)) for server, body in zip(servers, bodies, strict=True)]
        _interleave(costs, rounds, count, warm=_WARM)
    floor, plain, stream, repeated, repeated_stream, logged = costs
    return Findings(
        [
            Figure(CHAT, plain.over(floor), f"{plain} / {floor}"),
            Figure(STREAM, stream.over(floor), f"{stream} / {floor}"),
        ],
        [
            f"the same chat completion again and again: {repeated.over(floor):.2f}x ({repeated})",
            f"the same streamed chat again and again: {repeated_stream.over(floor):.2f}x ({repeated_stream})",
            f"chat completions with a log line each: {logged.over(floor):.2f}x ({logged})",
        ],
    )


def paced_events(rounds: int) -> Findings:
    """What an event of a paced stream costs, beside one of a bare generator at the same pace."""
    with _started("ours", "generator", "streaming") as (ours, bare, starlette):
        costs = [Cost(server, workload.http(workload.TICK), _STREAMS) for server in (bare, ours, starlette)]
        _interleave(costs, rounds, _STREAMS, warm=_STREAMS)
    floor, paced, response = costs
    events = workload.EVENTS
    detail = f"{median(paced.rounds) / events:.0f} us / {median(floor.rounds) / events:.0f} us"
    note = f"an event of Starlette's StreamingResponse: {median(response.rounds) / events:.0f} us"
    return Findings([Figure(EVENT, paced.over(floor), detail)], [note])


@contextmanager
def _started(*names: str) -> Iterator[list[Serving]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Serving(name)) for name in names]


def _interleave(costs: list[Cost], rounds: int, count: int, *, warm: int) -> None:
    with Load() as load:
        for cost in costs:
            load.send(cost.server.port, cost.request, warm, cost.connections)
        for _ in range(rounds):
            for cost in costs:
                cost.measure(load, count)
