"""`/fine_tuning/alpha/graders`: run a grader on one sample, or have its definition checked.

No exchange of the service with these is recorded: shapes are the official document's, values as its guides describe them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mockserver import errors
from mockserver.api.fine_tuning.family import operation, written
from mockserver.model import grade
from mockserver.model.grade import samples
from mockserver.operations import graders, grading
from mockserver.operations.body import Body
from mockserver.operations.call import Call, Result

Json = Any


class RunGraderRequest(Body):
    grader: dict[str, Json]
    model_sample: str
    item: dict[str, Json] | None = None


class ValidateGraderRequest(Body):
    grader: dict[str, Json]


@operation("POST", "/fine_tuning/alpha/graders/run", "runGrader", body=RunGraderRequest)
def run(call: Call) -> Result:
    """Grade one sample. What goes wrong in that is part of the result; a mistake in the definition is a 400.

    A grader that this server does not run gets a 501, which says what to turn on or to install.
    """
    body: RunGraderRequest = call.body
    grader = graders.parse(body.grader)
    try:
        outcome = grade.run(grader, body.item or {}, samples.of_text(body.model_sample), grading.means(call))
    except grade.UnavailableError as error:
        headers = {"x-should-retry": "false"}
        raise errors.gateway_error(501, "NotImplemented", f"mockserver: {error}", headers=headers) from None
    seconds = call.resource.clock.now() - call.now
    return written(_graded(grader.name, body.grader["type"], outcome, seconds))


@operation("POST", "/fine_tuning/alpha/graders/validate", "validateGrader", body=ValidateGraderRequest)
def validate(call: Call) -> Result:
    """Return a definition without what does not belong into it. Raises ApiError 400 for the first mistake in it."""
    body: ValidateGraderRequest = call.body
    graders.parse(body.grader)
    return written({"grader": graders.described(body.grader)})


def _graded(name: str, kind: str, outcome: grade.Outcome, seconds: float) -> dict[str, Json]:
    """The result of a run; `token_usage` is the number of all tokens (spec; the sister service's guide shows an object)."""
    usage = outcome.usage
    return {
        "reward": outcome.reward,
        "metadata": {
            "name": name,
            "type": kind,
            "errors": asdict(outcome.errors),
            "execution_time": seconds,
            "scores": dict(outcome.rewards),
            "token_usage": sum(counts["total_tokens"] for counts in usage.values()) if usage else None,
            "sampled_model_name": outcome.model,
        },
        "sub_rewards": dict(outcome.rewards),
        "model_grader_token_usage_per_model": usage,
    }
