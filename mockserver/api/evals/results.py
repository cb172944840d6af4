"""What comes of a run: an output item for each row, and the run's sums, in the order of members that is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.evals.sampling import Sample, flat
from mockserver.model import grade

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mockserver.model.grade.graders import Grader
    from mockserver.model.grade.outcome import Consultation

Json = Any
Object = dict[str, Json]
_USAGE = ("total_tokens", "prompt_tokens", "completion_tokens", "cached_tokens")


def result(kind: str, grader: Grader, outcome: grade.Outcome) -> Object:
    """How a grader judged a sample. Where it could not, the `reason` says why (recorded: null)."""
    passed = grade.passes(grader, outcome)
    judged = {
        "type": kind,
        "name": grader.name,
        "metric": grader.name,
        "score": outcome.reward,
        "label": ("pass" if passed else "fail") if kind == "label_model" else None,
        "reason": outcome.problem,
        "threshold": None,
        "passed": passed,
    }
    return judged | ({"sample": _consulted(outcome.consultations[0])} if outcome.consultations else {})


def output_item(run: Object, number: int, at: int, item: Object, sample: Sample, results: list[Object]) -> Object:
    """The output item of a row; `number` counts from 1, `at` is in Unix seconds.

    What no model was sampled for shows the last model that judged it (recorded).
    """
    view, judged = sample.view, [one["sample"] for one in results if "sample" in one]
    if sample.content is None and sample.error is None and judged:
        view = {**view, **judged[-1], "usage": {name: judged[-1]["usage"][name] for name in view["usage"]}}
    return {
        "object": "eval.run.output_item",
        "id": str(number),
        "run_id": run["id"],
        "eval_id": run["eval_id"],
        "created_at": at,
        "status": status(sample, results),
        "datasource_item_id": number - 1,
        "datasource_item": item,
        "results": results,
        "sample": view,
    }


def status(sample: Sample, results: Sequence[Object]) -> str:
    """`pass` where every grader lets the item pass, `error` where something of it could not be sampled or graded, else `fail`."""
    if sample.error is not None or any(one["reason"] is not None for one in results):
        return "error"
    return "pass" if all(one["passed"] for one in results) else "fail"


def _consulted(consultation: Consultation) -> Object:
    """What a model was asked by a grader, and its answer."""
    question, answer = consultation.question, consultation.answer
    error = None if answer.error is None else {"code": "model_error", "message": answer.error}
    return {
        "input": [flat(message) for message in question.messages],
        "output": [{"role": "assistant", "content": answer.text or answer.refusal or ""}] if error is None else [],
        "finish_reason": answer.finish_reason if error is None else "error",
        "model": answer.model or question.model,
        "usage": {
            name: answer.usage.get(name, 0) for name in ("total_tokens", "completion_tokens", "prompt_tokens", "cached_tokens")
        },
        "error": error,
        "temperature": question.sampling.get("temperature", 1.0),
        "top_p": question.sampling.get("top_p", 1.0),
    }


# -- sums


def no_counts(names: Iterable[str]) -> Object:
    """The sums of a run that has not begun; `names` are those of its testing criteria."""
    return {
        "result_counts": {"total": 0, "passed": 0, "failed": 0, "errored": 0},
        "per_model_usage": [],
        "per_testing_criteria_results": [{"testing_criteria": name, "passed": 0, "failed": 0} for name in names],
    }


_COUNTED = {"pass": "passed", "fail": "failed", "error": "errored"}


def add(sums: Object, item: Object, sampled: Object | None, consultations: Iterable[Consultation]) -> None:
    """Count an output item. `sampled` is the view of a sample that a model gave for this run.

    A testing criterion that could not judge it counts it as neither passed nor failed (inferred).
    """
    counts = sums["result_counts"]
    counts["total"] += 1
    counts[_COUNTED[item["status"]]] += 1
    for criterion, one in zip(sums["per_testing_criteria_results"], item["results"], strict=False):
        if one["reason"] is None:
            criterion["passed" if one["passed"] else "failed"] += 1
    if sampled is not None and sampled["error"] is None:
        _add_usage(sums, sampled["model"], sampled["usage"])
    for consultation in consultations:
        if consultation.answer.usage:
            _add_usage(sums, consultation.answer.model, dict(consultation.answer.usage))


def _add_usage(sums: Object, model: str, usage: Object) -> None:
    rows = sums["per_model_usage"]
    row = next((one for one in rows if one["model_name"] == model), None)
    if row is None:
        row = {"model_name": model, "invocation_count": 0, **dict.fromkeys(_USAGE, 0)}
        rows.append(row)
    row["invocation_count"] += 1
    for name in _USAGE:
        row[name] += usage[name]
