"""The differences from the recorded exchanges that are right as they are, each with its reason; docs/fidelity.md lists them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fidelity.diff import Difference
from fidelity.recorded import Row

Json = Any


Covers = Callable[[Row, Difference], bool]


@dataclass(frozen=True)
class Rule:
    """Why a difference may stand, and which ones it is about.

    `cause` is whose doing it is: a recorder that did not keep or changed something, a service that was `older`, a service that
    `varies` from answer to answer, or `ours`: a choice or a gap of this server.
    """

    name: str
    cause: Literal["recorder", "older", "varies", "ours"]
    reason: str
    covers: Covers


def _at(pattern: str, *kinds: str) -> Covers:
    """A difference of this kind at a path, whenever it was recorded."""
    return _before({pattern: "9"}, *kinds)


def _before(table: dict[str, str], *kinds: str) -> Covers:
    """A difference of this kind, at one of the table's paths, in an exchange from before the day that stands there."""
    days = {re.compile(pattern): day for pattern, day in table.items()}

    def covers(row: Row, difference: Difference) -> bool:
        return difference.kind in kinds and any(row.day < day and p.fullmatch(difference.path) for p, day in days.items())

    return covers


def _one_of(covers: Covers, *values: Json) -> Covers:
    """The same, where this server's value is one of these."""
    return lambda row, difference: covers(row, difference) and difference.ours in values


_CHAT = r"(body|stream\[[a-z_ ]+\])"
_RESPONSE = r"(body|stream\[response\.(created|in_progress|completed)\]\.response)"
_LATER_MEMBERS = {
    r"body\.expires_at": "2025-08-01",
    rf"{_CHAT}\.system_fingerprint": "2024-01-01",
    rf"{_CHAT}\.choices\[\]\.logprobs": "2024-11-01",
    rf"{_CHAT}\.choices\[\]\.message\.(annotations|refusal)": "2024-01-01",
    rf"{_CHAT}\.usage\.(completion|prompt)_tokens_details": "2024-12-01",
    rf"{_CHAT}\.(prompt_filter_results|choices\[\]\.content_filter_results)": "2023-10-01",
    rf"{_CHAT}\.choices\[\]\.content_filter_results\.protected_material_(code|text)": "2025-11-07",
    rf"{_CHAT}\.prompt_filter_results\[\]\.content_filter_results\.jailbreak": "2024-12-01",
    r"body\.error\.innererror\.content_filter_result\.jailbreak": "2024-01-01",
    rf"{_CHAT}\.obfuscation": "2025-11-07",
    rf"{_CHAT}\.choices\[\]\.delta\.refusal": "2025-11-07",
    rf"{_CHAT}\.service_tier": "2026-04-01",
    rf"{_CHAT}\.(usage\.)?latency_checkpoint": "2026-05-01",
    rf"{_RESPONSE}\.(top_logprobs|text\.verbosity|output\[\]\.content\[\]\.logprobs)": "2025-10-01",
    rf"{_RESPONSE}\.prompt_cache_retention": "2025-12-01",
    rf"{_RESPONSE}\.completed_at": "2026-02-01",
    rf"{_RESPONSE}\.(frequency|presence)_penalty": "2026-03-01",
    rf"{_RESPONSE}\.(moderation|reasoning\.context)": "2026-06-01",
    rf"{_RESPONSE}\.(reasoning\.mode|output\[\]\.content)": "2026-07-01",
    rf"{_RESPONSE}\.(tool_usage|usage\.input_tokens_details\.cache_write_tokens)": "2026-08-12",
    rf"{_RESPONSE}\.tools\[\]\.output_schema": "2026-08-12",
}
_LATER_HEADERS = {
    r"header\.x-ms-rai-invoked": "2024-04-01",
    r"header\.x-accel-buffering": "2025-11-07",
    r"header\.x-ratelimit-remaining-(requests|tokens)": "2024-02-01",
    r"header\.azureml-model-session": "2024-02-01",
    r"header\.(x-ms-deployment-name|x-ratelimit-limit-(requests|tokens))": "2025-07-01",
    r"header\.(skip-error-remapping|x-ms-is-spilled-over|x-ratelimit-abusepenalty-active)": "2026-03-31",
    r"header\.x-ratelimit-(renewalperiod|reset)-(requests|tokens)": "2026-03-31",
    r"header\.(x-ratelimit-key|x-ms-served-model|azureai-fe-is-streaming)": "2026-06-01",
    r"header\.x-ms-aoai-configured-data-retention-days": "2026-08-01",
    r"header\.azureai-fe-offer-type": "2026-08-19",
}
_EARLIER_HEADERS = {
    r"header\.(azureml-model-group|openai-model|openai-processing-ms)": "2024-01-01",
    r"header\.(openai-organization|set-cookie)": "2025-01-01",
    r"header\.cmp-upstream-response-duration": "2025-08-01",
    r"header\.(x-ms-middleware-request-id|x-ms-deployment-name)": "2025-09-01",
    r"header\.(access-control-allow-origin|cache-control|connection|x-envoy-upstream-service-time)": "2025-12-01",
    r"header\.x-ms-client-request-id": "2026-05-01",
    r"header\.azureai-fe-requested-(service-tier|zone)": "2026-08-13",
}


def _few_headers(row: Row, difference: Difference) -> bool:
    return difference.kind == "added" and difference.path.startswith("header.") and set(row.headers or ()) <= {"content-type"}


def _masked(row: Row, difference: Difference) -> bool:
    return difference.kind == "value" and difference.theirs in ("<masked>", "Sanitized", "sanitized-file-id")


_DECIMALS = re.compile(r".*\.(temperature|top_p|frequency_penalty|presence_penalty|score_threshold)")


def _numbers(row: Row, difference: Difference) -> bool:
    numbers = _DECIMALS.fullmatch(difference.path) and isinstance(difference.ours, float) and isinstance(difference.theirs, int)
    return bool(numbers) and difference.ours == difference.theirs


def _deployment_gone(row: Row, difference: Difference) -> bool:
    old = row.status == 404 and row.day < "2026-03-01" and "DeploymentNotFound" in row.text
    framing = ("header.content-type", "header.content-length", "header.transfer-encoding")
    return old and difference.path in ("body.error.type", *framing)


def _detectors(row: Row, difference: Difference) -> bool:
    return row.day <= "2026-03-12" and difference.kind == "order" and difference.theirs == ["filtered", "detected"]


def _undated(row: Row, difference: Difference) -> bool:
    named = difference.path.endswith(".model") and isinstance(difference.theirs, str)
    return named and row.day < "2025-01-01" and str(difference.ours).startswith(difference.theirs)


def _older_ids(row: Row, difference: Difference) -> bool:
    if row.day >= "2025-10-01" or difference.kind != "value":
        return False
    ours, theirs = (re.sub(r"<(\w+) (of 48|0[01])>", r"<\1>", str(one)) for one in (difference.ours, difference.theirs))
    return difference.path == "body.ids" or ("of 48>" in str(difference.theirs) and ours == theirs)


def _unfiltered(row: Row, difference: Difference) -> bool:
    return row.family == "chat" and row.status == 200 and "filter_results" not in row.text and "filter" in difference.path


def _tool_turn(row: Row, difference: Difference) -> bool:
    told = "prompt_filter_results[].content_filter_results." in difference.path and difference.kind == "absent"
    return told and row.family == "chat" and row.day < "2026-03-12" and row.request["messages"][-1]["role"] == "tool"


def _of_an_image(row: Row, difference: Difference) -> bool:
    told = (
        ("spelling", "body"),
        ("added", "body.prompt_filter_results[].content_filter_result.custom_blocklists"),
        ("value", "header.content-type"),
        *(("absent", f"header.{name}") for name in ("api-supported-versions", "request-id", "x-envoy-upstream-service-time")),
    )
    return "image_url" in str(row.request) and row.status == 200 and (difference.kind, difference.path) in told


def _without_charset(row: Row, difference: Difference) -> bool:
    return row.day < "2026-01-01" and difference.path == "header.content-type" and difference.theirs == "text/event-stream"


_HARMLESS = ({"filtered": False, "severity": "safe"}, {"detected": False, "filtered": False})


def _piece_filters(row: Row, difference: Difference) -> bool:
    """A category that one of the two has no verdict on yet, where the other's is that there is nothing."""
    found = re.fullmatch(r"stream\[(content|finish)\]\.choices\[\]\.content_filter_results\.\w+", difference.path)
    return found is not None and difference.kind in ("added", "absent") and _verdict(difference) in _HARMLESS


def _verdict(difference: Difference) -> Json:
    return difference.ours if difference.kind == "added" else difference.theirs


_ENTRY = ("blocked", "source_type", "content_filter_raw", "content_filter_results", "content_filter_offsets")


def _entries(row: Row, difference: Difference) -> bool:
    found = re.fullmatch(rf"{_RESPONSE}\.content_filters(?P<where>.*)", difference.path)
    if found is None:
        return False
    where, kind, ours = found["where"], difference.kind, difference.ours
    if kind == "value":
        sound = {
            "": lambda: bool(ours) and isinstance(ours, list) and all(map(_is_entry, ours)),
            "[].source_type": lambda: ours in ("prompt", "completion"),
            "[].content_filter_offsets.start_offset": lambda: isinstance(ours, int) and ours >= 0,
        }
        return where in sound and sound[where]()
    if kind == "order":
        return where == "[].content_filter_results"
    return re.fullmatch(r"\[\]\.content_filter_results\.\w+", where) is not None and _verdict(difference) in _HARMLESS


def _is_entry(entry: Json) -> bool:
    """Whether an entry has its members, and nothing was found."""
    if not isinstance(entry, dict) or tuple(entry) != _ENTRY or entry["blocked"] is not False:
        return False
    offsets = entry["content_filter_offsets"]
    if entry["source_type"] not in ("prompt", "completion") or tuple(offsets) != ("start_offset", "end_offset", "check_offset"):
        return False
    return all(verdict in _HARMLESS for verdict in entry["content_filter_results"].values())


_OF_PROJECTS = re.compile(
    r"header\.(azureml-served-by-cluster|content-(encoding|length)|request-context|transfer-encoding|vary|x-http2-stream-id"
    r"|x-ms-response-type|x-request-(id|time))"
)


def _of_a_project(row: Row, difference: Difference) -> bool:
    return row.path.startswith("/api/projects/") and bool(_OF_PROJECTS.fullmatch(difference.path))


def _of_cohere(row: Row, difference: Difference) -> bool:
    counted = re.fullmatch(r"body\.usage\.(prompt|total)_tokens", difference.path)
    return row.model.startswith("embed-") and difference.kind == "value" and counted is not None


RULES = (
    Rule("few headers kept", "recorder", "One recorder kept the content type and no other header.", _few_headers),
    Rule("masked values", "recorder", "Recorders put a mask in the place of ids, limits, regions and hosts.", _masked),
    Rule("numbers written anew", "recorder", "One recorder parsed the stream and wrote `1.0` as `1`.", _numbers),
    Rule("later members", "older", "Members that the service has added since.", _before(_LATER_MEMBERS, "added")),
    Rule("later headers", "older", "Headers that the service has added since.", _before(_LATER_HEADERS, "added")),
    Rule("earlier headers", "older", "Headers that the service no longer sends.", _before(_EARLIER_HEADERS, "absent")),
    Rule(
        "key order of 2023",
        "older",
        "Chat had OpenAI's order of keys before it became alphabetical.",
        _before({r"body.*": "2024-01-01"}, "order"),
    ),
    Rule("order in a detector", "older", "`filtered` stood before `detected` until March 2026.", _detectors),
    Rule(
        "order in an event",
        "older",
        "The keys of Responses events became alphabetical between December 2025 and March 2026.",
        _before({r"stream\[response\..*": "2026-01-01"}, "order"),
    ),
    Rule(
        "ids before October 2025",
        "older",
        "Response and item ids had 48 digits and shared their end, not their start.",
        _older_ids,
    ),
    Rule("models without a date", "older", "Until 2024 some answers named the model without its date.", _undated),
    Rule(
        "unknown deployment, older front end",
        "older",
        "Until 2025 the 404 had a content type and a length, and no `type` in its body.",
        _deployment_gone,
    ),
    Rule(
        "prompt filter of tool turns",
        "older",
        "Until February 2026 it was sent in full on turns that bring tool results.",
        _tool_turn,
    ),
    Rule(
        "first chunk without content",
        "older",
        "Until July 2025 some streams opened without `content`, or without a delta.",
        _before({r"stream\[(role|tool call)\]\.choices\[\]\.delta(\.content)?": "2025-08-01"}, "added"),
    ),
    Rule("streams without a charset", "older", "Until 2025 some front ends sent a bare `text/event-stream`.", _without_charset),
    Rule(
        "milliseconds until the reset",
        "older",
        "In March 2026 chat's reset headers counted milliseconds; since then whole seconds.",
        _before({r"header\.x-ratelimit-reset-(requests|tokens)": "2026-06-01"}, "value"),
    ),
    Rule(
        "cache retention",
        "older",
        "Each model's default changed over time; ours is the newest that was seen.",
        _one_of(_before({rf"{_RESPONSE}\.prompt_cache_retention": "2026-08-19"}, "value"), None, "in_memory", "24h"),
    ),
    Rule(
        "reasoning context",
        "older",
        "It was null until July 2026.",
        _one_of(_before({rf"{_RESPONSE}\.reasoning\.context": "2026-07-01"}, "value"), "current_turn", "all_turns"),
    ),
    Rule(
        "list of API versions",
        "older",
        "It grew with each version, and has had `1` for v1 since 2026 at the latest.",
        _before({r"header\.api-supported-versions": "2026-01-01"}, "value"),
    ),
    Rule("deployments without a filter", "varies", "A deployment's filter can be off; ours is on.", _unfiltered),
    Rule(
        "filter results of a chunk",
        "varies",
        "How many detectors have finished when a chunk is sent differs from chunk to chunk: all six, four, one or none. What they find is compared.",
        _piece_filters,
    ),
    Rule(
        "entries of content_filters",
        "varies",
        "Which entries a response has, their offsets and the order of their categories differ from answer to answer. One at least is there, and what it says is compared.",
        _entries,
    ),
    Rule(
        "prompts with an image",
        "ours",
        "Another front end answered them; its filter entries are imitated, its other headers and its missing newline are not.",
        _of_an_image,
    ),
    Rule(
        "where a new file is",
        "ours",
        "`Location` names the host that was called instead of the resource's public one, so that it leads back.",
        _at(r"header\.location", "value"),
    ),
    Rule(
        "a project's files",
        "ours",
        "Another front end stands before projects: it compresses, and has headers of its own, which are not imitated.",
        _of_a_project,
    ),
    Rule("Cohere's tokens", "ours", "They are counted as OpenAI's are: Cohere's tokenizer is not included.", _of_cohere),
)
