"""A run: rounds of requests against one server, whose objects are made anew for every round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from fuzz.checks import least, problem
from fuzz.firing import KEY, Range, firing_range
from fuzz.shots import Shot, Shots, make_ids

ROUND = 250  # requests to the same objects
_BATCH = 8  # requests on one connection


@dataclass
class Failure:
    """A request whose answer is wrong: why, its seed, and the least request that shows it, where it shows it alone."""

    text: str
    seed: str
    shot: Shot
    alone: bool

    def __str__(self) -> str:
        by_itself = "the least request" if self.alone else "the request (it does not fail on a fresh server)"
        return f"seed {self.seed}: {self.text}\n\n{by_itself}:\n{self.shot}\n"


@dataclass
class Outcome:
    """How many answers there were by status, and what failed."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


def run(requests: int, seed: str, *, over_socket: bool = False, most: int = 5, only: str | None = None) -> Outcome:
    """Fire this many requests, of all operations or `only` one, until `most` have failed."""
    outcome = Outcome()
    with firing_range() as target:
        for number, begun in enumerate(range(0, requests, ROUND)):
            count = min(ROUND, requests - begun)
            for failure in _round(target, f"{seed}/{number}", count, outcome, only, over_socket=over_socket):
                outcome.failures.append(failure)
                if len(outcome.failures) >= most:
                    return outcome
    return outcome


def _round(target: Range, seed: str, count: int, outcome: Outcome, only: str | None, *, over_socket: bool) -> Iterator[Failure]:
    target.renew()
    chance = Random(seed)
    shots = Shots(chance, make_ids(target.caller), KEY, only)
    fired = 0
    while fired < count:
        batch = [shots.next() for _ in range(_BATCH if over_socket else 1)]
        answers = target.fire_over_socket(batch, pipelined=chance.random() < 0.5) if over_socket else [target.fire(batch[0])]
        fired += len(batch)
        for shot, answer in zip(batch, answers, strict=False):
            outcome.statuses[answer.status] += 1
            text = problem(shot, answer)
            if text is not None:
                yield _failure(target, text, f"{seed} at {fired}", shot)
    if not target.is_well():
        yield Failure("the server is not well afterwards", seed, shots.next(), alone=False)


def _failure(target: Range, text: str, seed: str, shot: Shot) -> Failure:
    """Find out whether a request fails alone, and how little of it does."""
    kind = _kind(text)

    def fails(candidate: Shot) -> bool:
        target.renew()
        make_ids(target.caller)
        found = problem(candidate, target.fire(candidate))
        return found is not None and _kind(found) == kind

    alone = fails(shot)
    return Failure(text, seed, least(shot, fails) if alone else shot, alone)


def _kind(text: str) -> str:
    """What makes two failures the same one: a traceback's last lines, else the first words."""
    return text.rstrip().rpartition("\n  File ")[2][:200] if "Traceback" in text else text[:20]
