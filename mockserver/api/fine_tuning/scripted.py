"""Failures that a script gives jobs: by the service's evaluations of what is trained, and in the middle of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.state.store import Document

Json = Any
_ERRORS = {
    "data_evaluation": (
        "harmful_training_data",
        "The provided training data failed RAI checks for harm types: [hate_fairness, self_harm, violence]. Please fix the data and try "
        "again.",
    ),
    "training": ("server_error", "The job failed due to an internal error. Please try again."),
    "model_evaluation": (
        "harmful_model",
        "This model is unable to be deployed. Model evaluation identified that this fine tuned model scores above acceptable thresholds "
        "for [Violence, Self Harm]. Please review your training data set and resubmit the job.",
    ),
}
"""Codes and messages by where a job fails: those of the evaluations are documented, the codes and the other inferred."""


def error(run: Document, place: str) -> dict[str, Json] | None:
    """The error with which the script has a job fail at a place; None where it does not fail there."""
    script = run["script"]
    if script.get("fails") != place:
        return None
    code, message = _ERRORS[place]
    return {"code": script.get("code", code), "message": script.get("message", message), "param": None}
