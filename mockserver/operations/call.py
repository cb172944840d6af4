"""One call on its way through the pipeline, and what its handler makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from mockserver import errors
from mockserver.model import tokens
from mockserver.model.caching import MINIMUM_TOKENS, RETENTIONS, STEP
from mockserver.operations.complaints import describe
from mockserver.operations.query import Query
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.errors import HeaderSet
    from mockserver.model.chunking import ChunkSize
    from mockserver.model.prompt import Prompt
    from mockserver.model.reply import Reply
    from mockserver.operations.table import Headers, JsonStyle, Operation
    from mockserver.resource.deployment import Deployment
    from mockserver.resource.resource import Resource
    from mockserver.scenario.step import Answer
    from mockserver.state.blobs import Blob
    from mockserver.state.chance import Chance
    from mockserver.state.store import Key

Json = Any
CHUNK = 64 * 1024  # bytes of a blob that are read at a time


@dataclass(slots=True)
class Frame:
    """One event of a stream as it goes over the wire; `tokens` is how many of the answer's tokens it carries."""

    data: bytes
    tokens: int = 0


DONE: Final = Frame(b"data: [DONE]\n\n")


@dataclass(frozen=True, slots=True)
class Binary:
    """A body that is not JSON: bytes, or chunks of `length` bytes in all. Without a content type none is sent.

    `digest` is the content's SHA-256 in hexadecimal, where it is known.
    """

    content: bytes | Iterable[bytes]
    content_type: str | None
    length: int = 0
    digest: str | None = None

    @property
    def size(self) -> int:
        """How many bytes it is."""
        return len(self.content) if isinstance(self.content, bytes) else self.length

    @classmethod
    def of(cls, blob: Blob, content_type: str | None, *, digest: str | None = None) -> Binary:
        """The bytes beside a stored document, read in chunks while they are sent."""
        chunks = _chunks(blob)
        next(chunks)  # opens it: the document may be deleted before its bytes are sent
        return cls(chunks, content_type, blob.size, digest)

    def summary(self) -> dict[str, Json]:
        """What the journal keeps of it: type, size and digest."""
        digest = sha256(self.content).hexdigest() if isinstance(self.content, bytes) else self.digest
        return {"content_type": self.content_type, "bytes": self.size, "sha256": digest}


def _chunks(blob: Blob) -> Iterator[bytes]:
    with blob.open() as file:
        yield b""
        while chunk := file.read(CHUNK):
            yield chunk


EMPTY: Final = Binary(b"", None)
"""No body: `content-length: 0`, and no content type."""


@dataclass(slots=True)
class Result:
    """What a handler returns.

    `payload` is an object (written in the operation's JSON style), JSON that is encoded already, a `Binary`, or `EMPTY`; a
    stream has `frames` in its place. `headers` are added to those of `header_set`, which an answer that came from neither a
    model nor a store narrows. `reason` is the status line's reason phrase where that is not the usual one. `style` and
    `header_family` are those of another service than the operation's own, where one stands behind this very object.
    """

    payload: Json | bytes | Binary = EMPTY
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content_type: str | None = "application/json"
    header_set: HeaderSet = "inference"
    frames: list[Frame] | None = None
    reason: str | None = None
    style: JsonStyle | None = None
    header_family: Headers | None = None


@dataclass(slots=True)
class UploadedFile:
    """A file of a multipart body. `content` is spooled to disk where it is large, and stands at its start.

    `size` is in bytes, `digest` the SHA-256 of the content in hexadecimal.
    """

    filename: str
    content_type: str
    content: BinaryIO
    size: int
    digest: str


class ResponseView(Protocol):
    """The response to a request that an operation sent, as far as the operation needs to know it."""

    status: int

    @property
    def content(self) -> bytes:
        """The whole body; a stream's events joined."""

    def json(self) -> Json:
        """The body as JSON. Raises ValueError where it is none."""

    def headers(self) -> dict[str, str]:
        """The headers by their names in lower case."""


@dataclass(slots=True)
class Call:
    """What a handler works with.

    `raw` is the body as parsed JSON ({} where there is none; the fields of a form, with a file's name, type and size in its
    place), `body` the same as the operation's validated model, `files` are the uploaded files by field, `text` is a body
    that is plain text. `now` is the resource's time in Unix seconds, read once. `answer` is what the script says, None where
    it says nothing. `number` is the exchange's number in the journal. `new_id` is the id of the object that is created, where a
    scenario has given it one.
    """

    resource: Resource
    operation: Operation
    path: dict[str, str]
    headers: Mapping[str, str]
    query_string: str
    chance: Chance
    now: float
    number: int
    raw: Json = field(default_factory=dict)
    body: Any = None
    files: Mapping[str, list[UploadedFile]] = field(default_factory=dict)
    text: str = ""
    answer: Answer | None = None
    new_id: str | None = None
    _polled: tuple[Key, ...] = ()

    @property
    def created(self) -> int:
        """`now` in whole Unix seconds."""
        return int(self.now)

    @property
    def query(self) -> Query:
        """The query's parameters."""
        return Query.of(self.query_string)

    def upload(self, name: str) -> UploadedFile:
        """The file in a field of the form that the body has. Raises ApiError 400 for a text, or several files."""
        uploads, value = self.files.get(name, []), self.raw[name]
        if len(uploads) != 1 or isinstance(value, list):
            raise errors.invalid_type(name, "a file", describe(value))
        return uploads[0]

    def poll(self, kind: str, id: str) -> None:
        """Count this call as a read of an object for the work on it: once, however often the call is taken up again.

        Raises Unfinished where the work takes long.
        """
        if (kind, id) not in self._polled:
            self._polled += ((kind, id),)
            work.poll(self.resource, kind, id, self.now)

    def send(self, method: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None) -> ResponseView:
        """Send a request of this call's own to the same resource, such as a line of a batch.

        `path` is below the surface's root (`/chat/completions`), `body` is JSON or None. It is answered by the whole pipeline:
        scripted, counted against quotas, and journaled with this exchange's number as its parent.
        """
        return self.resource.send(method, path, body, headers, parent=self.number)


@dataclass(slots=True)
class ModelCall(Call):
    """A call that a model answers: `deployment` is which, `prompt` what it is given."""

    deployment: Deployment = field(init=False)
    prompt: Prompt = field(init=False)

    @property
    def prompt_tokens(self) -> int:
        """How many tokens the prompt has."""
        prompt = self.prompt
        if prompt.token_count is None:
            prompt.token_count = tokens.count_prompt(prompt)
        return prompt.token_count

    def read_from_cache(self) -> int:
        """How many tokens of the prompt the deployment had read before; from now on it has read all of them."""
        size = self.prompt_tokens
        if size < MINIMUM_TOKENS:
            return 0
        retention = self.body.prompt_cache_retention or self.deployment.model.cache_retention
        if retention is None:
            return 0
        key = self.body.prompt_cache_key or ""
        cached = self.deployment.cache.read(self.prompt, self.now, key=key, retention=RETENTIONS[retention])
        return min(cached, size // STEP * STEP)

    def reply(self, choice: int = 0) -> Reply:
        """What the model says: the script's reply, else an improvised one, another for each `choice`; a trained model recalls.

        Improvised words depend on the seed and the prompt alone, so that the same request, streamed or not, gives them again.
        """
        if self.answer is not None and self.answer.reply is not None:
            return self.answer.reply
        from mockserver.model.improvise import improvise
        from mockserver.state.chance import Chance

        seed = f"{self.resource.seed}/{getattr(self.body, 'seed', None)}/{choice}"
        prompt = self.prompt
        reply = improvise(prompt, Chance(f"{seed}/{prompt.turns!r}{prompt.tools!r}{prompt.output!r}"))
        if ".ft-" in prompt.model.snapshot:
            from mockserver.model.training.recall import recall

            reply = recall(self.resource.store, prompt, reply)
        return self.answer.finish(reply) if self.answer is not None else reply

    @property
    def chunk(self) -> ChunkSize:
        """How the script wants a stream cut."""
        return self.answer.timing.chunk if self.answer is not None else "token"
