"""Compiles what a scenario gives its resource before the first call.

Files are read when the object is made, not here, so that a change of theirs is seen after a reset; here they must be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import ApiError
from mockserver.operations.items import normalise
from mockserver.scenario.document import Document, dotted
from mockserver.scenario.plan import Kind, Link, Planned
from mockserver.scenario.sources import Finder, Source
from mockserver.scenario.step import Step, compile_step
from mockserver.scenario.values import suggestion

if TYPE_CHECKING:
    from mockserver.scenario.state import (
        ConversationSection,
        FileSection,
        ResponseSection,
        StateSection,
        VectorStoreSection,
    )

Json = Any


def compile_state(section: StateSection, document: Document, problems: list[str], find: Finder) -> tuple[Planned, ...]:
    """The plan of a `state` section, in the order in which objects can be made. Adds what is wrong to `problems`."""
    compiler = _Compiler(document, problems, find)
    return tuple(compiler.plan(section))


def check_links(planned: Sequence[Planned], known: Iterable[Planned] = ()) -> list[str]:
    """What is wrong with the names that objects refer to, those `known` before included; and with names and ids used twice."""
    problems: list[str] = []
    above: dict[tuple[Kind, str], Planned] = {(one.kind, one.name): one for one in known}
    for one in planned:
        for link in one.links:
            if (link.kind, link.name) not in above:
                problems.append(f"{link.place}: {_unknown(link, _names(link.kind, (*above.values(), *planned)))}")
        if (one.kind, one.name) in above:
            problems.append(f"{one.place}: the resource has another one of this name")
        twin = next((other for other in above.values() if one.id is not None and other.id == one.id), None)
        if twin is not None:
            problems.append(f"{one.place}: has the id of {twin.name!r:.80}")
        above[one.kind, one.name] = one
    return problems


def _names(kind: Kind, planned: Iterable[Planned]) -> list[str]:
    return [one.name for one in planned if one.kind == kind]


def _unknown(link: Link, names: list[str]) -> str:
    section = f"state.{link.kind}"
    if link.name in names:
        return f"{link.name!r:.80} under {section} has to stand above this"
    return f"there is no {link.name!r:.80} under {section}; {suggestion(link.name, names) if names else 'it is empty'}"


class _Compiler:
    """Turns the sections of one document into plans."""

    def __init__(self, document: Document, problems: list[str], find: Finder) -> None:
        self._document, self._problems, self._find = document, problems, find

    def plan(self, section: StateSection) -> Iterator[Planned]:
        for name, file in (section.files or {}).items():
            yield self._file(name, file)
        for name, vector_store in (section.vector_stores or {}).items():
            yield self._vector_store(name, vector_store)
        for name, conversation in (section.conversations or {}).items():
            yield self._conversation(name, conversation)
        for name, response in (section.responses or {}).items():
            yield self._response(name, response)

    def _file(self, name: str, section: FileSection | str) -> Planned:
        path = ["state", "files", name]
        if isinstance(section, str):
            if not section:
                self._report(path, "must not be empty")
            return Planned("files", name, self._place(path), None, _file_body(f"{name}.txt"), source=Source(section.encode()))
        source, filename = Source((section.text or "").encode()), f"{name}.txt"
        if section.path is not None:
            filename = Path(section.path).name
            try:
                source = self._find(section.path)
            except ValueError as error:
                self._report([*path, "path"], str(error))
        body = _file_body(section.filename or filename, section.purpose or "assistants", section.expires_after)
        return Planned("files", name, self._place(path), section.id, body, source=source)

    def _vector_store(self, name: str, section: VectorStoreSection) -> Planned:
        path = ["state", "vector_stores", name]
        body: dict[str, Json] = {"name": section.name, "metadata": section.metadata}
        if section.expires_after is not None:
            body["expires_after"] = {"anchor": "last_active_at", "days": section.days}
        if section.chunks is not None:
            body["chunking_strategy"] = {"type": "static", "static": section.chunks.model_dump()}
        return Planned("vector_stores", name, self._place(path), section.id, body, tuple(self._files_of(section, path)))

    def _files_of(self, section: VectorStoreSection, path: list[str]) -> Iterator[Link]:
        for at, entry in enumerate(section.files or ()):
            if isinstance(entry, str):
                yield Link("files", entry, self._place([*path, "files", at]))
            else:
                yield Link("files", entry.file, self._place([*path, "files", at, "file"]), entry.attributes)

    def _conversation(self, name: str, section: ConversationSection) -> Planned:
        path = ["state", "conversations", name]
        self._check_items(section.items, [*path, "items"])
        body = {"items": section.items or [], "metadata": section.metadata}
        return Planned("conversations", name, self._place(path), section.id, body)

    def _response(self, name: str, section: ResponseSection) -> Planned:
        path = ["state", "responses", name]
        self._check_items(section.input, [*path, "input"])
        members = section.model_dump(include={"input", "model", "instructions", "metadata"}, exclude_unset=True)
        links = tuple(self._past_of(section, path))
        step = None if section.respond is None else self._step(section.respond, name, [*path, "respond"])
        return Planned("responses", name, self._place(path), section.id, members, links, step=step)

    def _past_of(self, section: ResponseSection, path: list[str]) -> Iterator[Link]:
        if section.previous_response is not None:
            yield Link("responses", section.previous_response, self._place([*path, "previous_response"]))
        if section.conversation is not None:
            yield Link("conversations", section.conversation, self._place([*path, "conversation"]))

    def _step(self, respond: Any, name: str, path: list[str]) -> Step:
        if isinstance(respond, str):
            # The file has no key `text` here, so a path must not name it.
            return compile_step({"text": respond}, name, lambda inner, message: self._report([*path, *inner[1:]], message))
        data = respond.model_dump(exclude_unset=True, by_alias=True)
        return compile_step(data, name, lambda inner, message: self._report([*path, *inner], message))

    def _check_items(self, items: str | list[Json] | None, path: list[str]) -> None:
        """Report items that the service would refuse, in its words. References to others are looked at when they are made."""
        try:
            normalise(items, lambda item_id: {"id": item_id}, path[-1])
        except ApiError as error:
            self._report(path, error.detail["message"])

    def _report(self, path: list[Any], message: str) -> None:
        self._problems.append(self._document.problem(path, message))

    def _place(self, path: list[Any]) -> str:
        return f"{self._document.place(path)}: {dotted(path)}"


def _file_body(filename: str, purpose: str = "assistants", expires_after: float | None = None) -> dict[str, Json]:
    expiry = {} if expires_after is None else {"expires_after": {"anchor": "created_at", "seconds": int(expires_after)}}
    return {"file": filename, "purpose": purpose, **expiry}
