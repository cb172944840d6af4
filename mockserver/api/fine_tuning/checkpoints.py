"""`/fine_tuning/jobs/…/checkpoints`: the models of the last epochs, and those that pauses have left."""

from __future__ import annotations

from mockserver.api.fine_tuning import run
from mockserver.api.fine_tuning.family import find_job, operation, page_object, written
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor
from mockserver.resource.trained import CHECKPOINT, JOB


@operation("GET", "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints", "listFineTuningJobCheckpoints")
def list_checkpoints(call: Call) -> Result:
    """List a job's checkpoints, newest first."""
    job = find_job(call)
    run.settle(call.resource, job["id"])
    page = call.resource.store.page(CHECKPOINT, cursor(call.query, limit=10), parent=(JOB, job["id"]))
    return written(page_object(page))
