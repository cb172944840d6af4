"""Where the service departs from its own document in nearly every answer, so that nothing of ours is measured by it there."""

from __future__ import annotations

import re

from fidelity.shapes import Problem

HABITS = {
    "null for a member that may be absent (recorded)": r"",
    "`message` for items that the document calls `output_message` (recorded)": r"\.type: 'message' is not one of \['output_message'\]",
    "`tool_choice` as a word, or as a function (recorded)": r"tool_choice(: '(auto|none|required)'|\.type: 'function') is not",
    "`in_memory`, which the document spells with a hyphen (recorded)": r"prompt_cache_retention: 'in_memory' is none of",
    "no `content_filters` before there are any (recorded)": r"\.content_filters: None is not",
    "results of fewer detectors than the document lists (recorded)": r"content_filter_results?(\.(task_adherence|jailbreak|indirect_attack))?: .* absent",
    "no ids on an empty page (recorded)": r"\$\.(first|last)_id: None is not",
    "the first chunk, which is nobody's (recorded)": r"chunk \$\.object: '' is not",
    "chunks of completions that have not ended (inferred from chat's)": r"/completions chunk \$\.choices\[\d+\]\.finish_reason: None is not",
    "vectors in base64 (recorded)": r"\.embedding: '[A-Za-z0-9+/=]+' is not of type 'array'",
    "errors of the gateway, which have a code and a message only (recorded)": r" error \$\.(param|type): .* absent",
    "the error of a filtered prompt, whose type is null (recorded)": r" error \$\.type: None is not",
}
"""What it does and how that is known, and the findings that it explains."""

STATUSES = {("POST /batches", 200): 201, ("POST /evals", 201): 200, ("POST /fine_tuning/jobs", 201): 200}
"""Statuses that the service was recorded to answer with in place of the documented one (recorded)."""


def excused(place: str, problem: Problem) -> str | None:
    """The habit that explains a problem of a body or an event; None if there is none."""
    finding = f"{place} {problem}"
    null, *others = HABITS
    if problem.optional and problem.value is None:
        return null
    return next((habit for habit in others if re.search(HABITS[habit], finding)), None)
