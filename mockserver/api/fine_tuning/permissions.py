"""`/fine_tuning/checkpoints/…/permissions`: which projects may use a checkpoint.

No exchange of Azure's with these is recorded: shapes are the official document's, ids as the sister service documents them. A
permission has no effect here, since keys are those of a resource and not of a project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.fine_tuning.family import operation, written
from mockserver.api.fine_tuning.requests import CreatePermissionRequest
from mockserver.operations.call import Call, Result
from mockserver.operations.complaints import check_range
from mockserver.operations.lists import list_object
from mockserver.resource import trained
from mockserver.state.store import Cursor, Page

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.state.store import Document, Key

Json = Any
PERMISSION = "checkpoint.permission"
_PATH = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"


@operation("POST", _PATH, "createFineTuningCheckpointPermission", body=CreatePermissionRequest)
def create(call: Call) -> Result:
    """Permit projects to use a checkpoint; one that may already keeps its permission. Raises ApiError 404 for an unknown checkpoint."""
    body: CreatePermissionRequest = call.body
    above = _checkpoint(call)
    known = {one["project_id"]: one for one in call.resource.store.documents(PERMISSION, above)}
    for project_id in body.project_ids:
        if project_id not in known:
            known[project_id] = _new(call, above, project_id)
    data = [known[project_id] for project_id in dict.fromkeys(body.project_ids)]
    return written(list_object(Page(data, has_more=False), ends_first=True))


@operation("GET", _PATH, "listFineTuningCheckpointPermissions")
def list_permissions(call: Call) -> Result:
    """List a checkpoint's permissions, newest first, or that of one project."""
    above, project_id = _checkpoint(call), call.query.last("project_id")
    where = None if project_id is None else {"project_id": project_id}
    page = call.resource.store.page(PERMISSION, _cursor(call), parent=above, where=where)
    return written(list_object(page, ends_first=True))


@operation("DELETE", _PATH + "/{permission_id}", "deleteFineTuningCheckpointPermission")
def delete(call: Call) -> Result:
    """Take a permission back. Raises ApiError 404 for an unknown one."""
    above, permission_id = _checkpoint(call), call.path["permission_id"]
    if permission_id not in {one["id"] for one in call.resource.store.documents(PERMISSION, above)}:
        raise _missing("checkpoint permission", permission_id, "permission_id")
    call.resource.store.delete(PERMISSION, permission_id)
    return written({"id": permission_id, "object": PERMISSION, "deleted": True})


def _checkpoint(call: Call) -> Key:
    """The document of the checkpoint that the path names. Raises ApiError 404 where there is none."""
    name = call.path["fine_tuned_model_checkpoint"]
    above = trained.place(call.resource.store, name)
    if above is None:
        raise _missing("fine-tuned model checkpoint", name, "fine_tuned_model_checkpoint")
    return above


def _new(call: Call, above: Key, project_id: str) -> Document:
    permission_id = f"cp_{call.chance.alnum(24)}"
    permission = {"id": permission_id, "created_at": call.created, "project_id": project_id, "object": PERMISSION}
    call.resource.store.put(PERMISSION, permission_id, permission, parent=above)
    return permission


def _cursor(call: Call) -> Cursor:
    """The cursor of the query, whose orders have other names than elsewhere (spec)."""
    limit = call.query.integer("limit", 10)
    check_range("limit", limit, 1, 100)
    order = call.query.choice("order", ("ascending", "descending"), "descending")
    return Cursor(limit, "asc" if order == "ascending" else "desc", call.query.last("after"))


def _missing(what: str, name: str, param: str) -> ApiError:
    """Something that is not there (inferred)."""
    return errors.request_error(f"Could not find {what}: {name}", param=param, status=404)
