"""`/uploads`: a large file in parts, which may come in any order and in parallel.

Azure's pages announce it, the official v1 document does not have it; shapes and key order are recorded on the sister service, the
texts of the refusals are inferred. Of an upload's `mime_type` nothing is kept: no object shows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mockserver import errors
from mockserver.operations.body import Body, FileExpiry
from mockserver.operations.call import Call, Result
from mockserver.operations.objects import stored
from mockserver.operations.table import family
from mockserver.resource import file_limits, files
from mockserver.state import work
from mockserver.state.blobs import CHUNK
from mockserver.state.ids import dated_id

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.state.blobs import Blob
    from mockserver.state.store import Document, Store

Json = Any
operation = family(style="pretty-newline", headers="files", beyond_spec=True)
UPLOAD = "upload"
PART = "upload.part"
LIFETIME = 3_600  # seconds
LARGEST = 8 * 1024 * file_limits.MIB
LARGEST_PART = 64 * file_limits.MIB


class CreateUploadRequest(Body):
    filename: Annotated[str, Field(min_length=1)]
    purpose: str
    bytes: Annotated[int, Field(ge=1, le=LARGEST)]
    mime_type: str
    expires_after: FileExpiry | None = None


class AddPartRequest(Body):
    data: Json


class CompleteUploadRequest(Body):
    part_ids: Annotated[list[str], Field(min_length=1)]
    md5: str | None = None


@operation("POST", "/uploads", "createUpload", body=CreateUploadRequest)
def create(call: Call) -> Result:
    """Begin an upload, which is open for an hour. Raises ApiError 400 for a file that could not be uploaded at once either."""
    body: CreateUploadRequest = call.body
    purpose = file_limits.check_purpose(body.purpose)
    seconds = body.expires_after.seconds if body.expires_after is not None else None
    file_limits.check_name(purpose, body.filename)
    file_limits.check_lifetime(purpose, seconds)
    upload: Document = {
        "id": dated_id(call.chance, "upload", call.created),
        "object": "upload",
        "bytes": body.bytes,
        "created_at": call.created,
        "filename": body.filename,
        "purpose": purpose,
        "status": "pending",
        "expires_at": call.created + LIFETIME,
    }
    record = {"upload": upload, "expires_after": seconds}
    call.resource.store.put(UPLOAD, upload["id"], record, due=upload["expires_at"])
    return Result(upload)


@operation("POST", "/uploads/{upload_id}/parts", "addUploadPart", body=AddPartRequest, content=("multipart/form-data",))
def add_part(call: Call) -> Result:
    """Add a part. Raises ApiError 413 for one of more than 64 MB, 507 where the store is full."""
    upload = _pending(call, "add a part to")["upload"]
    data = call.upload("data")
    if data.size > LARGEST_PART:
        raise errors.body_too_large(LARGEST_PART)
    part = {
        "id": dated_id(call.chance, "part", call.created),
        "object": "upload.part",
        "created_at": call.created,
        "upload_id": upload["id"],
    }
    call.resource.store.put(PART, part["id"], part, parent=(UPLOAD, upload["id"]), content=data.content)
    return Result(part)


@operation("POST", "/uploads/{upload_id}/complete", "completeUpload", body=CompleteUploadRequest)
def complete(call: Call) -> Result:
    """Make a file of the parts, in the order of the request. Raises ApiError 400 where size or checksum are not as they should be.

    Parts that the request leaves out are dropped. The upload stays open where it is refused.
    """
    body: CompleteUploadRequest = call.body
    record, store = _pending(call, "complete"), call.resource.store
    upload = record["upload"]
    parts = _parts(store, upload["id"], body.part_ids)
    _check_content(parts, upload["bytes"], body.md5)
    expires_after = record["expires_after"]
    file_limits.check_room(store, upload["purpose"], upload["bytes"], expires=expires_after is not None)
    file = files.add(
        call.resource,
        filename=upload["filename"],
        purpose=upload["purpose"],
        content=_Joined(parts),
        size=upload["bytes"],
        chance=call.chance,
        now=call.now,
        expires_after=expires_after,
        accepted=True,
    )
    return Result(_close(store, record, "completed") | {"file": file})


@operation("POST", "/uploads/{upload_id}/cancel", "cancelUpload")
def cancel(call: Call) -> Result:
    """Cancel an upload; its parts are dropped."""
    return Result(_close(call.resource.store, _pending(call, "cancel"), "cancelled"))


@work.expiry(UPLOAD)
def _expire(resource: work.Owner, upload_id: str) -> None:
    """An upload whose time is over stays, so that it is refused by its status, but not its parts."""
    record = resource.store.get(UPLOAD, upload_id)
    if record is not None:
        _close(resource.store, record, "expired")


def _pending(call: Call, action: str) -> Document:
    """The record of an upload that is open. Raises ApiError 404 where there is none, 400 where it is closed."""
    record = stored(call, UPLOAD, "upload_id", _missing)
    status = record["upload"]["status"]
    if status != "pending":
        raise errors.request_error(f"Cannot {action} an upload with status '{status}'.", param="upload_id")
    return record


def _missing(upload_id: str) -> ApiError:
    return errors.request_error(f"No such Upload object: {upload_id}", param="id", status=404)


def _close(store: Store, record: Document, status: str) -> Document:
    """Give an upload its last status, and drop its parts; return its object."""
    upload: Document = record["upload"] | {"status": status}
    for part in list(store.documents(PART, (UPLOAD, upload["id"]))):
        store.delete(PART, part["id"])
    store.put(UPLOAD, upload["id"], record | {"upload": upload}, accepted=True)  # which is not due any more
    return upload


def _parts(store: Store, upload_id: str, part_ids: list[str]) -> list[Blob]:
    """What is in the parts with these ids. Raises ApiError 400 for an id that is no part of this upload, or comes twice."""
    blobs = []
    for at, part_id in enumerate(part_ids):
        part, blob = store.get(PART, part_id), store.blob(PART, part_id)
        if part is None or blob is None or part["upload_id"] != upload_id:
            raise errors.invalid_value(f"part_ids[{at}]", f"No such Part object of this upload: {part_id}")
        if part_id in part_ids[:at]:
            raise errors.invalid_value(f"part_ids[{at}]", f"The part {part_id} is listed twice.")
        blobs.append(blob)
    return blobs


def _check_content(parts: list[Blob], size: int, md5: str | None) -> None:
    uploaded = sum(part.size for part in parts)
    if uploaded != size:
        message = f"The parts have {uploaded} bytes in all, but the upload was created for {size} bytes."
        raise errors.request_error(message, param="part_ids")
    if md5 is not None and md5.lower() != (found := _md5(parts)):
        raise errors.request_error(f"The MD5 checksum of the parts is '{found}', but '{md5}' was expected.", param="md5")


def _md5(parts: list[Blob]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in _chunks(parts):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(parts: list[Blob]) -> Iterator[bytes]:
    for part in parts:
        with part.open() as file:
            while chunk := file.read(CHUNK):
                yield chunk


class _Joined:
    """Several blobs as one file, of which little is in memory."""

    def __init__(self, parts: list[Blob]) -> None:
        self._chunks, self._rest = _chunks(parts), b""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        chunk = self._rest or next(self._chunks, b"")
        self._rest = chunk[size:]
        return chunk[:size]
