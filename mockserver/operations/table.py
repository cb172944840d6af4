"""The table of operations: what the surface consists of, each declared once, on its handler.

Routing, credentials, preview rules, the journal's names, scripts' `when.operation`, the coverage page and the conformance
tests all read this table. A family of paths is one module (or package) of `mockserver.api`, named like the first segment
of its URL and imported on the first request to it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack

from starlette.routing import compile_path

from mockserver.operations.not_yet import NOT_YET

if TYPE_CHECKING:
    from re import Pattern

    from mockserver.model.prompt import Prompt

Json = Any
JsonStyle = Literal["compact", "minified", "pretty", "pretty-newline"]
Headers = Literal["chat", "responses", "embeddings", "stored", "files", "authoring", "training", "machine-learning"]
ModelKind = Literal["chat", "embedding", "completion"]
ContentType = Literal["application/json", "multipart/form-data", "application/sdp", "text/plain"]
DeploymentName = Callable[[Json, Mapping[str, str]], Json]
_HOME = "mockserver.api"  # by name, since families import this module
Handler = TypeVar("Handler", bound=Callable[..., Any])


def model_member(body: Json, path: Mapping[str, str]) -> Json:
    """The deployment's name where most operations have it: the body's `model`, None where there is none."""
    return body.get("model") if isinstance(body, dict) else None


class Traits(TypedDict, total=False):
    """What can be declared of an operation; `Operation` says what each means."""

    body: type[Any] | None
    content: tuple[ContentType, ...]
    screen: Callable[..., None] | None
    prompt: Callable[..., Prompt] | None
    prompt_reads_store: bool
    deployment: DeploymentName
    model_kind: ModelKind
    capability: str
    quota_name: str
    preview: str | None
    style: JsonStyle
    headers: Headers
    beyond_spec: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the surface.

    `body` is the pydantic model of its body, None where it takes none, and `content` the content types in which that may come.

    `prompt` makes the `Prompt` that a script or the improviser answers; an operation that has one is answered by a model (its
    handler gets a `ModelCall`), all others by the resource itself. `prompt_reads_store` says that the prompt depends on stored
    objects too, and not on the body alone. `deployment` finds the deployment's name in a body and the path's parameters; it must
    serve a model of `model_kind`, and the call counts against its quota. `capability` is what the refusal of another kind of
    model calls the operation, `quota_name` what rate-limit messages call it.

    `screen` refuses what the deployment's model does not take; it sees the body as it came, since that is reported before mistakes
    in the body.

    `preview` is the header that must say `preview`. `style` and `headers` name the wire habits of its family.
    """

    method: str
    path: str
    id: str
    handler: Callable[..., Any] | None = None
    body: type[Any] | None = None
    content: tuple[ContentType, ...] = ("application/json",)
    screen: Callable[..., None] | None = None
    prompt: Callable[..., Prompt] | None = None
    prompt_reads_store: bool = False
    deployment: DeploymentName = model_member
    model_kind: ModelKind = "chat"
    capability: str = ""
    quota_name: str = ""
    preview: str | None = None
    style: JsonStyle = "compact"
    headers: Headers = "stored"
    beyond_spec: bool = False

    @property
    def emulated(self) -> bool:
        """Whether it is answered, rather than refused with a 501."""
        return self.handler is not None


@dataclass(slots=True)
class Path:
    """A path template and the operations behind it, by method."""

    template: str
    pattern: Pattern[str]
    methods: dict[str, Operation]


class Table:
    """All operations known so far. Families register theirs when they are imported."""

    def __init__(self) -> None:
        self._paths: dict[str, list[Path]] = {}
        self._exact: dict[str, Path] = {}
        self._imported: set[str] = set()
        self.by_id: dict[str, Operation] = {}

    def add(self, operation: Operation) -> None:
        """Register an operation. Raises ValueError where its id, or its method and path, is taken."""
        path = self._path(operation.path)
        if operation.id in self.by_id or operation.method in path.methods:
            raise ValueError(f"operation {operation.id} ({operation.method} {operation.path}) is declared twice")
        path.methods[operation.method] = operation
        self.by_id[operation.id] = operation

    def find(self, path: str) -> tuple[Path, dict[str, str]] | None:
        """The path template that `path` fits, and its parameters; None for an unknown path. Imports its family."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact, {}
        segment = path[1:].partition("/")[0]
        if segment not in self._imported:
            self._import(segment)
            return self.find(path) if segment in self._imported else None
        for candidate in self._paths.get(segment, ()):
            match = candidate.pattern.match(path)
            if match is not None:
                return candidate, match.groupdict()
        return None

    @cached_property
    def families(self) -> dict[str, bool]:
        """The first segments of all paths, in alphabetical order, and whether a module of the package answers for each."""
        modules = {module.name for module in pkgutil.iter_modules(importlib.import_module(_HOME).__path__)}
        return {segment: segment in modules for segment in sorted({*modules, *NOT_YET})}

    def all(self) -> Iterator[Operation]:
        """Every operation, emulated or not, family by family. Imports all families."""
        for segment in self.families:
            self._import(segment)
            for path in self._paths.get(segment, ()):
                yield from path.methods.values()

    def _path(self, template: str) -> Path:
        paths = self._paths.setdefault(template[1:].partition("/")[0], [])
        for path in paths:
            if path.template == template:
                return path
        path = Path(template, compile_path(template)[0], {})
        paths.append(path)
        if "{" not in template:
            self._exact[template] = path
        paths.sort(key=lambda known: known.template.count("{"))
        return path

    def _import(self, segment: str) -> None:
        if segment in self._imported or segment not in self.families:
            return
        if self.families[segment]:
            importlib.import_module(f"{_HOME}.{segment}")
        for method, path, operation_id, header in NOT_YET.get(segment, ()):
            self.add(Operation(method, path, operation_id, preview=header))
        self._imported.add(segment)


TABLE = Table()


def operation(method: str, path: str, operation_id: str, **traits: Unpack[Traits]) -> Callable[[Handler], Handler]:
    """Declare the decorated handler as an operation."""

    def declare(handler: Handler) -> Handler:
        TABLE.add(Operation(method, path, operation_id, handler, **traits))
        return handler

    return declare


def family(**defaults: Unpack[Traits]) -> Callable[..., Callable[[Handler], Handler]]:
    """The decorator `operation` for one family, whose operations have these traits unless they say otherwise."""
    return partial(operation, **defaults)
