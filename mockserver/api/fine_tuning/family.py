"""What all fine-tuning operations share: their traits, how objects and pages are written, and the refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.operations.call import Call, Result
from mockserver.operations.objects import stored
from mockserver.operations.table import family
from mockserver.resource.trained import JOB

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.operations.call import Binary
    from mockserver.state.store import Document, Page

Json = Any
operation = family(style="minified", headers="training")
_CONTENT_TYPE = (b"content-type", b"application/json; charset=utf-8")


def written(payload: Json | Binary, status: int = 200) -> Result:
    """An object as the service writes it: on one line, in chunks, with a charset (recorded)."""
    return Result(payload, status, [_CONTENT_TYPE], content_type=None)


def page_object(page: Page) -> dict[str, Json]:
    """A page as this service writes it, without the ids at its ends (recorded)."""
    return {"has_more": page.has_more, "data": page.data, "object": "list"}


def find_job(call: Call) -> Document:
    """The job that the path names. Raises ApiError 404 where there is none."""
    return stored(call, JOB, "fine_tuning_job_id", job_missing)


def job_missing(job_id: str) -> ApiError:
    """A job that is not there (recalled from the sister service)."""
    message = f"Could not find fine tune: {job_id}"
    return errors.request_error(message, param="fine_tune_id", code="fine_tune_not_found", status=404)


def unsuitable(job: Document, action: str) -> ApiError:
    """A job that cannot be cancelled, paused or resumed as it is (inferred)."""
    return errors.request_error(f"Job {job['id']} cannot be {action}: its status is '{job['status']}'.", param="fine_tune_id")
