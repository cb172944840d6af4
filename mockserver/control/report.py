"""The report on a run of an eval, for people: its sums, and what every item got."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from mockserver.control.page import template
from mockserver.resource.evals import EVAL, output_items

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document

Json = Any
MOST = 500
"""Items on the page, the first ones."""
_LONGEST = 300  # characters of a text in the table


def render(resource: Resource, run: Document) -> str:
    """The page as HTML."""
    store, counts = resource.store, run["result_counts"]
    evaluation = store.get(EVAL, run["eval_id"]) or {}
    items = [_row(item) for item in islice(output_items(store, run["id"]), MOST)]
    return template("report.html").render(
        run=run,
        name=evaluation.get("name") or run["eval_id"],
        criteria=[_short(one["name"]) for one in evaluation.get("testing_criteria", ())],
        items=items,
        hidden=max(0, counts["total"] - len(items)),
    )


def _row(item: Document) -> dict[str, Json]:
    sample, output = item["sample"], item["sample"]["output"]
    error = (sample["error"] or {}).get("message")
    return {
        "id": item["id"],
        "status": item["status"],
        "item": _short(json.dumps(item["datasource_item"], ensure_ascii=False)),
        "sample": _short(error or "".join(one.get("content") or "" for one in output)),
        "failed": error is not None,
        "results": [_result(one) for one in item["results"]],
    }


def _result(result: Document) -> dict[str, Json]:
    return {"passed": result["passed"], "score": result["score"], "reason": _short(result["reason"] or "")}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
