"""A family that Azure does not have: it uses everything in the kit that families are written with."""

from __future__ import annotations

from typing import Any

from mockserver import errors
from mockserver.operations.body import Body
from mockserver.operations.call import EMPTY, Binary, Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.operations.table import family

Json = Any
KIND = "note"
operation = family(style="pretty")


class NoteRequest(Body):
    title: str = ""
    priority: int = 0
    labels: list[str] | None = None
    expires_after: dict[str, Json] | None = None
    file: Json = None


@operation("POST", "/notes", "createNote", body=NoteRequest, content=("multipart/form-data", "application/json", "text/plain"))
def create(call: Call) -> Result:
    body: NoteRequest = call.body
    note = {"id": "note-" + call.chance.hex(8), "object": "note", "title": body.title or call.text, "priority": body.priority}
    note |= {"labels": body.labels, "expires_after": body.expires_after, "bytes": 0}
    files = call.files.get("file", [])
    content = files[0].content if files else b""
    call.resource.store.put(KIND, note["id"], note | {"bytes": files[0].size if files else 0}, content=content)
    return Result(note | {"bytes": files[0].size if files else 0}, status=201)


@operation("GET", "/notes", "listNotes")
def list_notes(call: Call) -> Result:
    return Result(list_object(call.resource.store.page(KIND, cursor(call.query))))


@operation("GET", "/notes/{note_id}", "getNote")
def get(call: Call) -> Result:
    return Result(_note(call))


@operation("GET", "/notes/{note_id}/content", "getNoteContent")
def get_content(call: Call) -> Result:
    blob = call.resource.store.blob(KIND, _note(call)["id"])
    assert blob is not None
    return Result(Binary.of(blob, "application/octet-stream"))


@operation("DELETE", "/notes/{note_id}", "deleteNote")
def delete(call: Call) -> Result:
    call.resource.store.delete(KIND, _note(call)["id"])
    return Result(EMPTY, status=204)


@operation("POST", "/notes/{note_id}/ask", "askNote")
def ask(call: Call) -> Result:
    """Ask a model what it thinks of a note, by a request of this operation's own."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": _note(call)["title"]}]}
    response = call.send("POST", "/chat/completions", body, headers={"X-Note": call.path["note_id"]})
    return Result({"status": response.status, "answer": response.json()})


@operation("POST", "/notes/{note_id}/circle", "circleNote")
def circle(call: Call) -> Result:
    """Send this very request again, which does so too."""
    response = call.send("POST", f"/notes/{call.path['note_id']}/circle")
    return Result(response.json(), status=response.status)


def _note(call: Call) -> dict[str, Json]:
    note_id = call.path["note_id"]
    note = call.resource.store.get(KIND, note_id)
    if note is None:
        raise errors.request_error(f"No such note: {note_id}", status=404)
    return note
