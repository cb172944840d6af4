"""`/files`: what callers upload for tools and jobs, and what jobs write.

Two services stand behind it on Azure, one for files of tools and one for files of jobs. They answer in their own layouts and with
their own headers (recorded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args
from urllib.parse import quote

from pydantic import BeforeValidator
from pydantic_core import from_json

from mockserver import errors
from mockserver.operations.body import Body, FileExpiry
from mockserver.operations.call import Binary, Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.operations.table import family
from mockserver.resource import file_limits, files
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.state.store import Document

Json = Any
operation = family(style="pretty-newline", headers="files")
_LONGEST_PAGE = 10_000
_TOKEN = frozenset("!#$&+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _spelled_out(value: Json) -> Json:
    """An object that a form has as JSON text; text that is none stays."""
    try:
        return from_json(value) if isinstance(value, str) else value
    except ValueError:
        return value


class CreateFileRequest(Body):
    file: Json
    purpose: str
    expires_after: Annotated[FileExpiry | None, BeforeValidator(_spelled_out)] = None


@operation("POST", "/files", "createFile", body=CreateFileRequest, content=("multipart/form-data",))
def create(call: Call) -> Result:
    """Upload a file. Raises ApiError 400 or 413 for one that the service does not take.

    Files of tools get 200, files of jobs 201 and a `Location` (recorded).
    """
    body: CreateFileRequest = call.body
    purpose = file_limits.check_purpose(body.purpose)
    upload = call.upload("file")
    seconds = body.expires_after.seconds if body.expires_after is not None else None
    file_limits.check_name(purpose, upload.filename)
    file_limits.check_size(purpose, upload.size)
    file_limits.check_lifetime(purpose, seconds)
    file_limits.check_room(call.resource.store, purpose, upload.size, expires=seconds is not None)
    document = files.add(
        call.resource,
        filename=upload.filename,
        purpose=purpose,
        content=upload.content,
        size=upload.size,
        chance=call.chance,
        now=call.now,
        expires_after=seconds,
        file_id=call.new_id,
    )
    result = _result(document)
    if files.is_of_jobs(document["id"]):
        result.status = 201
        result.headers.append((b"location", _location(call, document["id"])))
    return result


@operation("GET", "/files", "listFiles")
def list_files(call: Call) -> Result:
    """List files, newest first, of one purpose where the query names it. Without a limit there are 10,000 to a page (documented).

    Raises ApiError 400 for a purpose that does not exist (reported, of `vision`).
    """
    purpose = call.query.last("purpose")
    if purpose is not None and purpose not in get_args(files.Purpose):
        raise errors.gateway_error(400, "invalidPayload", "Invalid value for purpose.")
    place = cursor(call.query, limit=_LONGEST_PAGE, most=_LONGEST_PAGE)
    page = call.resource.store.page(files.FILE, place, where={"purpose": purpose} if purpose else None)
    return Result(list_object(page, ends_first=True))


@operation("GET", "/files/{file_id}", "retrieveFile")
def retrieve(call: Call) -> Result:
    """Return a file's object. Raises ApiError 404 where there is none."""
    file_id = call.path["file_id"]
    work.poll(call.resource, files.FILE, file_id, call.now)
    return _result(files.find(call.resource.store, file_id))


@operation("DELETE", "/files/{file_id}", "deleteFile")
def delete(call: Call) -> Result:
    """Delete a file. Of jobs' files one that is gone is no error, but reported as not deleted (recorded)."""
    file_id = call.path["file_id"]
    deleted = files.delete(call.resource.store, file_id)
    if not deleted and not files.is_of_jobs(file_id):
        raise files.missing(file_id)
    return _result({"object": "file", "deleted": deleted, "id": file_id})


@operation("GET", "/files/{file_id}/content", "downloadFile")
def download(call: Call) -> Result:
    """Return what is in a file, whatever its purpose (documented; the sister service keeps back what was uploaded for tools)."""
    file = files.find(call.resource.store, call.path["file_id"])
    blob = files.content(call.resource.store, file["id"])
    result = _result(file)
    result.payload, result.headers = Binary.of(blob, "application/octet-stream"), [_disposition(file["filename"])]
    return result


def _result(document: Document) -> Result:
    """An object in the layout, and with the headers, of the service that a file's id is of."""
    if not files.is_of_jobs(document["id"]):
        return Result(document)
    content_type = (b"content-type", b"application/json; charset=utf-8")
    return Result(document, content_type=None, headers=[content_type], style="minified", header_family="authoring")


def _location(call: Call, file_id: str) -> bytes:
    """Where a new file is. The service names its public host; here it is the one that was called, so that it leads back."""
    version = call.query.last("api-version") or ""
    path = f"/openai/files/{file_id}?api-version={version}" if version[:1].isdigit() else f"/openai/v1/files/{file_id}"
    host = call.headers.get("host", "")
    return f"{'http' if ':' in host else 'https'}://{host}{path}".encode("latin-1", "replace")


def _disposition(filename: str) -> tuple[bytes, bytes]:
    """The header that names a download: in ASCII for old clients, then in full (recorded; quoting as in RFC 6266)."""
    ascii_name = "".join(one if " " <= one <= "~" else "_" for one in filename)
    if not ascii_name or not _TOKEN.issuperset(ascii_name):
        ascii_name = '"' + ascii_name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    full = quote(filename, safe="!#$&+-.^_`|~", errors="replace")
    return b"content-disposition", f"attachment; filename={ascii_name}; filename*=UTF-8''{full}".encode("ascii")
