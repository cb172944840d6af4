"""What is due in a resource: long work that enters its next stage, documents whose time is over.

`advance` does all of it once per request, before the handler and for the whole resource, in the order in which it became due.
So nothing depends on which object somebody happens to read, and every stage is entered at the time at which it was due.

A kind of document declares its stages on the function that is called when one is entered:

    @stages("response", "queued", "in_progress", "done")
    def _enter(resource: Resource, record: Document, stage: str, at: float) -> None: ...

`begin` starts work on a stored document, in its first stage. A `Lifecycle` decides how it goes on: by the resource's clock, or
by polls. Entering a stage may take long, as running a batch does: the function then returns an iterator, each step of which does a little.
Whoever needs the outcome is stopped by `Unfinished`, and goes on when the steps are through.

A poll is a read of that very object, or of the one that its outcome goes `into`; lists and cancelling are none.
Documents that are stored with a `due` and are no work are deleted when it has come: that is how retention ends. A kind that has
more to end declares it with `expiry`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from mockserver.state.store import Document, Key, Store

Json = Any
Steps = Iterator[None]
Enter = Callable[[Any, "Document", str, float], Steps | None]
Entering = TypeVar("Entering", bound=Enter)
Expire = Callable[[Any, str], Steps | None]
Expiring = TypeVar("Expiring", bound=Expire)
_WORK = "work"
log = logging.getLogger("mockserver")


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When long work is done: at its first poll (the default), at the poll after a number of others, or after a time.

    The answer that creates work still shows the first stage. The others share the way to the last one evenly. With `seconds`,
    that much of the resource's time must pass, and polls do not matter.
    """

    polls: int = 0
    seconds: float | None = None

    def due(self, begun: float, stage: int, last: int) -> float | None:
        """The time at which stage number `stage` of `last` is entered, None where the clock does not decide."""
        return None if self.seconds is None else begun + self.seconds * stage / last

    def reached(self, polls: int, last: int) -> int:
        """The number of the stage that is reached by `polls` polls."""
        return min(polls * last // (self.polls + 1), last)


AT_ONCE = Lifecycle()


@dataclass(frozen=True, slots=True)
class Lifecycles:
    """The lifecycle of every kind of work: its own, else the one for all."""

    otherwise: Lifecycle = AT_ONCE
    kinds: Mapping[str, Lifecycle] = field(default_factory=dict)

    @classmethod
    def of(cls, section: Mapping[str, Json]) -> Lifecycles:
        """The lifecycles that a scenario writes: `polls` and `seconds` are for all kinds, other members for one each."""
        kinds = {name: Lifecycle(**value) for name, value in section.items() if isinstance(value, Mapping)}
        return cls(Lifecycle(**{name: value for name, value in section.items() if name not in kinds}), kinds)

    def __getitem__(self, kind: str) -> Lifecycle:
        return self.kinds.get(kind, self.otherwise)


class Owner(Protocol):
    """What work belongs to: a resource."""

    @property
    def store(self) -> Store:
        """Where the work's documents are."""

    @property
    def lifecycles(self) -> Lifecycles:
        """How long work takes."""


class Unfinished(Exception):  # noqa: N818 - it is no error: the request goes on later
    """Raised where a request needs work that takes long. `steps` does it, a little at a time; then the request is taken up again."""

    def __init__(self, steps: Steps) -> None:
        super().__init__("work is unfinished")
        self.steps = steps


@dataclass(frozen=True, slots=True)
class _Course:
    stages: tuple[str, ...]
    enter: Enter


_COURSES: dict[str, _Course] = {}
_EXPIRIES: dict[str, Expire] = {}


def stages(kind: str, *names: str) -> Callable[[Entering], Entering]:
    """Declare the stages of a kind's work, first to last, on the function that is called when one is entered.

    The function gets the resource, the document as it is stored, the stage and its time in Unix seconds. It may return an
    iterator that does the work in steps, which must go on from the state that is stored: others may take steps too, and a
    process may end between two of them.
    """

    def declare(enter: Entering) -> Entering:
        _COURSES[kind] = _Course(names, enter)
        return enter

    return declare


def expiry(kind: str) -> Callable[[Expiring], Expiring]:
    """Declare the function that ends a kind's document once its time is over; it gets the resource and the id, and may return steps."""

    def declare(expire: Expiring) -> Expiring:
        _EXPIRIES[kind] = expire
        return expire

    return declare


def begin(owner: Owner, kind: str, id: str, now: float, *, into: Key | None = None) -> None:
    """Start work on a stored document, in its first stage. `into` is the object that the outcome goes into, if any."""
    lifecycle = owner.lifecycles[kind]
    names = ["/".join(key) for key in ((kind, id), into) if key is not None]
    work = {"kind": kind, "id": id, "names": names, "begun": now, "stage": 0, "polls": 0, "lifecycle": asdict(lifecycle)}
    _keep(owner.store, work)


def advance(owner: Owner, now: float) -> None:
    """Do all that is due by `now`. Ask `owner.store.next_due` first: mostly nothing is.

    Work that fails is logged and tried again at the next request: it must hold up neither this one nor other work. Raises
    Unfinished where something of it takes long.
    """
    store = owner.store
    failed: list[Document] = []
    steps: list[Steps] = []
    while (due := store.pop_due(now)) is not None:
        work = store.get(_WORK, due.id) if due.kind == _WORK else None
        if work is not None:
            if not _enter_or_log(owner, work, due.at, steps):
                failed.append(work)
        elif due.kind in _EXPIRIES:
            more = _EXPIRIES[due.kind](owner, due.id)
            steps += [more] if more is not None else []
        else:
            store.delete(due.kind, due.id)
    for work in failed:
        _put_back(store, work)
    if steps:
        raise Unfinished(chain.from_iterable(steps))


def poll(owner: Owner, kind: str, id: str, now: float) -> None:
    """Count a read of an object for the work on it, and for the work whose outcome goes into it. Raises Unfinished."""
    steps: list[Steps] = []
    for work in owner.store.find(_WORK, f"{kind}/{id}"):
        lifecycle = Lifecycle(**work["lifecycle"])
        if lifecycle.seconds is None:
            work["polls"] += 1
            _enter_now(owner, work, lifecycle.reached(work["polls"], _last(work)), now, steps)
    if steps:
        raise Unfinished(chain.from_iterable(steps))


def finish(owner: Owner, kind: str, id: str, now: float) -> None:
    """Have the work on a document enter all stages that are left. Raises Unfinished."""
    work, steps = owner.store.get(_WORK, f"{kind}/{id}"), list[Steps]()
    if work is not None:
        _enter_now(owner, work, _last(work), now, steps)
    if steps:
        raise Unfinished(chain.from_iterable(steps))


def stop(owner: Owner, kind: str, id: str) -> None:
    """End the work on a document where it is."""
    owner.store.delete(_WORK, f"{kind}/{id}")


def _last(work: Document) -> int:
    return len(_COURSES[work["kind"]].stages) - 1


def _enter_or_log(owner: Owner, work: Document, at: float, steps: list[Steps]) -> bool:
    """Have work enter its next stage; say whether it could. If not, it has to be put back."""
    try:
        with owner.store.transaction:
            _enter(owner, work, work["stage"] + 1, at, steps)
    except Exception:
        log.exception("mockserver failed to go on with the %s %s; please report this", work["kind"], work["id"])
        return False
    return True


def _enter_now(owner: Owner, work: Document, until: int, at: float, steps: list[Steps]) -> None:
    """Have work enter stages for the request that wants to see them, which fails with it."""
    try:
        _enter(owner, work, until, at, steps)
    except Exception:
        _put_back(owner.store, work)
        raise


def _enter(owner: Owner, work: Document, until: int, at: float, steps: list[Steps]) -> None:
    """Have work enter the stages after the one that it is in, up to number `until`, and keep how far it is.

    What takes long is added to `steps`. How far it is is kept before: what is sent from inside a stage may come back here. Where
    entering one fails, `work` is what it was before that one, and has to be put back.
    """
    entered = range(work["stage"] + 1, until + 1)
    work["stage"] = until
    if until < _last(work):
        _keep(owner.store, work)
    else:
        stop(owner, work["kind"], work["id"])
    course = _COURSES[work["kind"]]
    for stage in entered:
        document = owner.store.get(work["kind"], work["id"])
        if document is None:
            return
        try:
            more = course.enter(owner, document, course.stages[stage], at)
        except Exception:
            work["stage"] = stage - 1
            stop(owner, work["kind"], work["id"])
            raise
        if more is not None:
            steps.append(more)


def _put_back(store: Store, work: Document) -> None:
    """Keep work whose stage could not be entered, so that it is entered once more, unless what it was about is gone."""
    if store.get(work["kind"], work["id"]) is not None:
        _keep(store, work)


def _keep(store: Store, work: Document) -> None:
    """Keep how far work is, below the document that it is about, so that it ends with it."""
    kind, name, names = work["kind"], work["id"], work["names"]
    due = Lifecycle(**work["lifecycle"]).due(work["begun"], work["stage"] + 1, _last(work))
    store.put(_WORK, f"{kind}/{name}", work, parent=(kind, name), due=due, names=names, accepted=True)
