"""Request bodies by their content type: JSON, forms with files, and plain text.

Forms are read while they arrive: their files go to disk where they are large, so that a body of half a gigabyte costs a few
megabytes of memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from pydantic_core import from_json

from mockserver import errors
from mockserver.operations.call import UploadedFile

if TYPE_CHECKING:
    from mockserver.operations.table import Operation

Json = Any
FORM = "multipart/form-data"
JSON = "application/json"
_ONLY_JSON = (JSON,)
_SPOOLED = 1024 * 1024  # bytes of a file that stay in memory
_LONGEST_FIELDS = 1024 * 1024  # bytes of all fields of a form
_LONGEST_HEAD = 16 * 1024
_MOST_PARTS = 1_000
_MOST_FILES = 50  # each takes a megabyte of memory, or a file descriptor
_LONGEST_BOUNDARY = 70  # RFC 2046, 5.1.1
_DEEPEST = 8  # objects inside each other that a field's name can spell
_MEMBER = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]*)\]")


@dataclass(slots=True)
class Form:
    """A form that has been read: `document` holds its fields, and each file's name, type and size in the file's place.

    Names such as `expires_after[anchor]` and `expires_after.anchor` are members of an object, `name[]` and repeated names lists.
    `digest` depends on what is in it, not on the boundary, which clients draw anew for every call.
    """

    document: dict[str, Json] = field(default_factory=dict)
    files: dict[str, list[UploadedFile]] = field(default_factory=dict)
    digest: bytes = b""

    def close(self) -> None:
        """Close its files."""
        for files in self.files.values():
            for file in files:
                file.content.close()


Payload = bytes | Form


@dataclass(slots=True)
class ParsedBody:
    """A body as an operation takes it: `raw` is its JSON or a form's document, `text` what is neither."""

    raw: Json
    files: Mapping[str, list[UploadedFile]] = field(default_factory=dict)
    text: str = ""


def parse(operation: Operation, headers: Mapping[str, str], payload: Payload) -> ParsedBody:
    """What a body of this operation holds. Raises ApiError 400 for one that cannot be read or has a type it does not take.

    JSON is read whatever its content type says, unless that is a form's: curl, for one, sends JSON as something else (inferred).
    """
    if operation.content == _ONLY_JSON and isinstance(payload, bytes):
        return ParsedBody(parse_json(payload))
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if isinstance(payload, Form):
        if FORM not in operation.content:
            raise errors.unsupported_content_type(media_type, operation.content)
        return ParsedBody(payload.document, payload.files)
    if media_type != JSON and media_type in operation.content:
        return ParsedBody({}, text=payload.decode("utf-8", "replace"))
    if JSON not in operation.content:
        raise errors.unsupported_content_type(media_type, operation.content)
    return ParsedBody(parse_json(payload))


def parse_json(body: bytes) -> Json:
    """A JSON body; {} where it is empty. Raises ApiError 400 for anything that is not JSON."""
    if not body:
        return {}
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        raise errors.unreadable_body() from None


def form_reader(content_type: str) -> FormReader | None:
    """What reads a body of this content type as a form; None for other types. Raises ApiError 400 without a usable boundary."""
    if content_type[: len(FORM)].lower() != FORM:
        return None
    from python_multipart.multipart import parse_options_header

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise errors.unreadable_form("Missing boundary in the content type.")
    if len(boundary) > _LONGEST_BOUNDARY:
        raise errors.unreadable_form("The boundary in the content type is too long.")
    return FormReader(boundary)


class FormReader:
    """Reads a form that arrives in chunks."""

    def __init__(self, boundary: bytes) -> None:
        from python_multipart.multipart import MultipartParser

        self._form = Form()
        self._parts = self._files = 0
        self._fields = self._head = 0  # bytes: of all fields, and of the head of the part that is being read
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._part: _Field | _File | None = None
        self._hash = hashlib.blake2b()
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._close,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Read on. Raises ApiError 400 for what is not a form, or beyond what one may hold."""
        from python_multipart.exceptions import FormParserError

        try:
            self._parser.write(chunk)
        except FormParserError:
            raise errors.unreadable_form("The form is malformed.") from None

    def finish(self) -> Form:
        """The whole form. Raises ApiError 400 where its end is missing."""
        if not self._complete:
            raise errors.unreadable_form("The form ends before its last boundary.")
        self._form.digest = self._hash.digest()
        return self._form

    def discard(self) -> None:
        """Close the files of a form that nobody will use: one that was refused, or whose client has left."""
        if isinstance(self._part, _File):
            self._part.content.close()
        self._form.close()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise errors.unreadable_form(f"The form has more than {_MOST_PARTS} parts.")
        self._headers, self._head = {}, 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._bound_head(end - start)
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._bound_head(end - start)
        self._value += data[start:end]

    def _bound_head(self, more: int) -> None:
        self._head += more
        if self._head > _LONGEST_HEAD:
            raise errors.unreadable_form(f"The headers of a part are longer than {_LONGEST_HEAD} bytes.")

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _open(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name")
        if name is None:
            raise errors.unreadable_form("A part of the form has no name.")
        filename = options.get(b"filename")
        self._hash.update(b"\x00" + name + b"\x00" + (filename or b""))
        if filename is None:
            self._part = _Field(name.decode("utf-8", "replace"))
        else:
            self._files += 1
            if self._files > _MOST_FILES:
                raise errors.unreadable_form(f"The form has more than {_MOST_FILES} files.")
            content_type = self._headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
            self._part = _File(name.decode("utf-8", "replace"), filename.decode("utf-8", "replace"), content_type)

    def _data(self, data: bytes, start: int, end: int) -> None:
        chunk = data[start:end]
        self._hash.update(chunk)
        if isinstance(self._part, _Field):
            self._fields += len(chunk)
            if self._fields > _LONGEST_FIELDS:
                raise errors.unreadable_form(f"The fields of the form are longer than {_LONGEST_FIELDS} bytes.")
        assert self._part is not None
        self._part.write(chunk)

    def _close(self) -> None:
        part, self._part = self._part, None
        if isinstance(part, _Field):
            _set(self._form.document, part.name, bytes(part.content).decode("utf-8", "replace"))
        elif isinstance(part, _File):
            file = part.finished()
            self._form.files.setdefault(part.name.removesuffix("[]"), []).append(file)
            facts = {"filename": file.filename, "content_type": file.content_type, "bytes": file.size, "sha256": file.digest}
            _set(self._form.document, part.name, facts)

    def _end(self) -> None:
        self._complete = True


@dataclass(slots=True)
class _Field:
    name: str
    content: bytearray = field(default_factory=bytearray)

    def write(self, chunk: bytes) -> None:
        self.content += chunk


@dataclass(slots=True)
class _File:
    name: str
    filename: str
    content_type: str
    content: BinaryIO = field(default_factory=lambda: cast("BinaryIO", SpooledTemporaryFile(_SPOOLED)))  # noqa: SIM115
    size: int = 0
    hash: Any = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        self.content.write(chunk)
        self.hash.update(chunk)
        self.size += len(chunk)

    def finished(self) -> UploadedFile:
        self.content.seek(0)
        return UploadedFile(self.filename, self.content_type, self.content, self.size, self.hash.hexdigest())


def _set(document: dict[str, Json], name: str, value: Json) -> None:
    """Put a field where its name says: a member, a member of an object, or one more element of a list."""
    at = min((index for index in (name.find("["), name.find(".")) if index > 0), default=len(name))
    key, rest = name[:at], [member or index for member, index in _MEMBER.findall(name[at:])][:_DEEPEST]
    listed = bool(rest) and rest[-1] == ""
    here = document
    for member in rest[:-1] if listed else rest:
        inner = here.setdefault(key, {})
        if not isinstance(inner, dict):
            return  # the name contradicts an earlier one; the first stays
        here, key = inner, member
    if listed:
        values = here.setdefault(key, [])
        if isinstance(values, list):
            values.append(value)
    elif key in here:
        here[key] = [*here[key], value] if isinstance(here[key], list) else [here[key], value]
    else:
        here[key] = value
