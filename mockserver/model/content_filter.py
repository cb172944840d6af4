"""Results of the content filter, in the forms that chat, completions and responses send, and their form in a script.

Results without a finding are shared dicts, so callers must not change what they get. Members and their order: wire; further
categories and the filter being down: spec and docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.model.reply import FilterResult, Severity

Json = Any
Results = dict[str, Json]

SEVERITIES: tuple[Severity, ...] = ("safe", "low", "medium", "high")
SEVERITY_CATEGORIES = ("hate", "self_harm", "sexual", "violence")
DETECTION_CATEGORIES = (
    "custom_blocklists",
    "custom_topics",
    "indirect_attack",
    "jailbreak",
    "personally_identifiable_information",
    "profanity",
    "protected_material_code",
    "protected_material_text",
    "task_adherence",
    "ungrounded_material",
)
CATEGORIES = SEVERITY_CATEGORIES + DETECTION_CATEGORIES
_WITH_DETAILS = ("custom_blocklists", "custom_topics", "ungrounded_material")
_BLOCKLISTS = ("custom_blocklists", "custom_topics")
_FLAGS = ("blocked", "failed")

_SAFE: Results = {"filtered": False, "severity": "safe"}
_UNDETECTED: Results = {"detected": False, "filtered": False}
_PROTECTED = ("protected_material_code", "protected_material_text")
_RESPONSES_SEVERITIES = ("hate", "sexual", "violence", "self_harm")
_PROMPT_ORDER = (*_RESPONSES_SEVERITIES, "jailbreak")
_COMPLETION_ORDER = (*_PROTECTED, *_RESPONSES_SEVERITIES)


def _safe_results(*categories: str) -> Results:
    return {category: _SAFE if category in SEVERITY_CATEGORIES else _UNDETECTED for category in categories}


PROMPT_SAFE = _safe_results(*sorted((*SEVERITY_CATEGORIES, "jailbreak")))
COMPLETION_SAFE = _safe_results(*sorted((*SEVERITY_CATEGORIES, *_PROTECTED)))
STREAM_SEVERITIES = _safe_results(*SEVERITY_CATEGORIES)
STREAM_PROTECTED = _safe_results("protected_material_text")
FAILED: Results = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
_RESPONSES_PROMPT_SAFE = _safe_results(*_PROMPT_ORDER)
_RESPONSES_COMPLETION_SAFE = _safe_results(*_COMPLETION_ORDER)


def filter_result(script: str | Mapping[str, str | bool]) -> FilterResult:
    """The filter result for the `content_filter` of a script.

    A category alone means its worst: severity high, or detected. A mapping gives each category a severity (True is high, False
    safe) or whether it was detected; `blocked` overrides the default threshold, which is medium or a detection (docs), and
    `failed` means that the filter is down. Raises ValueError, naming what would be valid, for an unknown category or value.
    """
    values: Mapping[str, str | bool] = {script: True} if isinstance(script, str) else script
    findings = {category: _finding(category, value) for category, value in values.items() if category not in _FLAGS}
    failed = _flag("failed", values.get("failed", False))
    blocked = _flag("blocked", values.get("blocked", not failed and any(map(_reaches_threshold, findings.values()))))
    return FilterResult(findings, blocked=blocked, failed=failed)


def prompt_results(filter_result: FilterResult | None = None) -> Results:
    """`content_filter_results` of a prompt: the four severities, `jailbreak` and all other findings, by name."""
    return _results(filter_result, PROMPT_SAFE, ordered=True)


def completion_results(filter_result: FilterResult | None = None) -> Results:
    """`content_filter_results` of an answer: the four severities, protected material and all other findings, by name."""
    return _results(filter_result, COMPLETION_SAFE, ordered=True)


def responses_filters(
    prompt_filter: FilterResult | None,
    completion_filter: FilterResult | None,
    prompt_length: int,
    completion_length: int | None,
) -> list[Results]:
    """`content_filters` of a finished Responses object: an entry for the prompt, then one for the completion.

    Lengths are in characters. `completion_length` None leaves the completion's entry out, as where nothing was written.
    """
    filters = [_entry("prompt", prompt_filter, _RESPONSES_PROMPT_SAFE, prompt_length)]
    if completion_length is not None:
        filters.append(_entry("completion", completion_filter, _RESPONSES_COMPLETION_SAFE, completion_length))
    return filters


def _entry(source: str, filter_result: FilterResult | None, safe: Results, length: int) -> Results:
    return {
        "blocked": filter_result is not None and filter_result.blocked,
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": _results(filter_result, safe, ordered=False),
        "content_filter_offsets": {"start_offset": 0, "end_offset": length, "check_offset": 0},
    }


def _results(filter_result: FilterResult | None, safe: Results, *, ordered: bool) -> Results:
    if filter_result is None:
        return safe
    if filter_result.failed:
        return FAILED
    # Blocked although nothing reaches the usual threshold: the resource has a stricter one, which low severities reach.
    strict = filter_result.blocked and not any(map(_reaches_threshold, filter_result.findings.values()))
    results = dict(safe)
    for category, value in filter_result.findings.items():
        filtered = filter_result.blocked and (_reaches_threshold(value) or (strict and value == "low"))
        results[category] = _result(category, value, filtered=filtered)
    return dict(sorted(results.items())) if ordered else results


def _result(category: str, value: Severity | bool, *, filtered: bool) -> Results:
    if category in SEVERITY_CATEGORIES:
        return {"filtered": filtered, "severity": value}
    result: Results = {"filtered": filtered} if category in _BLOCKLISTS else {"detected": value, "filtered": filtered}
    return {"details": [], **result} if category in _WITH_DETAILS else result


def _reaches_threshold(value: Severity | bool) -> bool:
    return value is True or value in ("medium", "high")


def _finding(category: str, value: str | bool) -> Severity | bool:
    if category in SEVERITY_CATEGORIES:
        severity = ("high" if value else "safe") if isinstance(value, bool) else value
        if severity not in SEVERITIES:
            raise ValueError(f"{category} has a severity: one of {', '.join(SEVERITIES)}, not {value!r}")
        return severity
    if category not in DETECTION_CATEGORIES:
        raise ValueError(f"{category!r} is not a category of the content filter; there are {', '.join(CATEGORIES)}")
    return _flag(category, value)


def _flag(name: str, value: str | bool) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false, not {value!r}")
    return value
