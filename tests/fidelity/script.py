"""A recorded reply as a scenario, so that this server is asked the same and has to say the same."""

from __future__ import annotations

import re
from typing import Any

from fidelity.recorded import Row

from mockserver.model import catalogue

Json = Any
_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")
_NOT_OF_THIS_SURFACE = {"embeddings": ("temperature",)}
"""What dated api-versions let through without a word, and v1 has no parameter for."""


def request(row: Row) -> dict[str, Json]:
    """The recorded request body as a v1 path takes it: the deployment, where the path named it, under `model`."""
    body = (
        dict(row.request)
        if row.request is not None
        else {name: row.answered[name] for name in ("model", "tools") if name in row.answered}
        | {
            "input": "Draw a raccoon.",
            "stream": row.stream,
        }
    )
    named = _DEPLOYMENT.search(row.path)
    if named is not None:
        body["model"] = (row.headers or {}).get("x-ms-deployment-name", named[1])
    return {name: value for name, value in body.items() if name not in _NOT_OF_THIS_SURFACE.get(row.family, ())}


def scenario(row: Row) -> dict[str, Json]:
    """One deployment, of the recorded model and with the recorded limits, and one rule that answers as recorded."""
    if row.family == "files":
        return {"resource": {"keys": ["recorded-key"], "region": region(row), "lifecycle": {"file": {"polls": _polls(row)}}}}
    asked = request(row)
    limits = {short: int(value) for short, value in _limits(row).items() if value.isdigit()}
    served: dict[str, Json] = {"resource": {"name": "recorded", "keys": ["recorded-key"], "region": region(row)}}
    if row.status == 200:
        served["deployments"] = {asked["model"]: {"model": model(row), **limits}}
        served["rules"] = [{"name": "recorded", "when": {"operation": "*"}, "respond": _respond(row)}]
    elif row.status == 400 and "innererror" in row.body["error"]:
        findings = row.body["error"]["innererror"]["content_filter_result"]
        served["rules"] = [{"name": "recorded", "when": {}, "respond": {"content_filter": _findings(findings)}}]
    elif row.status == 429:
        served["rules"] = [{"name": "recorded", "when": {"operation": "*"}, "respond": {"error": "rate_limit"}}]
    elif row.status in (400, 422) and "model" in asked:
        served["deployments"] = {asked["model"]: {"model": _asked_for(row, asked["model"])}}
    else:
        served["deployments"] = {"another": {"model": "gpt-4o"}}
    return served


def _polls(row: Row) -> int:
    """How many reads still find a file as it was created."""
    return 9 if row.method == "GET" and row.body["status"] == "pending" else 0


def region(row: Row) -> str:
    """The region that the recording names, else some other."""
    named = (row.headers or {}).get("x-ms-region", "West Europe")
    return "West Europe" if "-XXX" in named or named == "REDACTED" else named


def model(row: Row) -> str:
    """The catalogue's name for the model that answered."""
    served = (row.headers or {}).get("x-ms-served-model") or row.model
    if row.family == "completions":
        return "gpt-35-turbo-instruct"
    known = catalogue.find(served)
    if known is not None:
        return served
    shown = [name for name, one in catalogue.CATALOGUE.items() if one.reported_name == served or one.snapshot == served]
    return shown[0] if shown else catalogue.infer(served, "embedding" if row.family == "embeddings" else "chat").name


def _asked_for(row: Row, deployment: str) -> str:
    """The catalogue's name for the model that refused a request: none answered, so that it is the one that was asked for."""
    kinds = {"embeddings": "embedding", "completions": "completion"}
    return catalogue.infer(deployment, kinds.get(row.family, "chat")).name


def _limits(row: Row) -> dict[str, str]:
    headers = row.headers or {}
    return {"rpm": headers.get("x-ratelimit-limit-requests", ""), "tpm": headers.get("x-ratelimit-limit-tokens", "")}


def _findings(results: dict[str, Json]) -> dict[str, Json]:
    return {category: found.get("severity", found.get("detected")) for category, found in results.items()}


def _respond(row: Row) -> dict[str, Json]:
    if row.family == "embeddings":
        vectors = [entry["embedding"] for entry in row.body["data"]]
        return {"embedding": [vector if isinstance(vector, list) else unpack(vector) for vector in vectors]}
    if row.family == "responses":
        return _of_items(row.answered)
    return _of_choices(row.body if not row.stream else fold(row.events), row.family)


def unpack(packed: str) -> list[float]:
    """A base64 vector as numbers."""
    import base64
    import struct

    raw = base64.b64decode(packed)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def fold(chunks: list[dict[str, Json]]) -> dict[str, Json]:
    """The completion that a stream's chunks tell, as far as a script can say it."""
    message: dict[str, Json] = {"content": ""}
    calls: dict[int, dict[str, Json]] = {}
    finish, usage = None, None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            finish = choice.get("finish_reason") or finish
            delta = choice.get("delta") or {"content": choice.get("text")}
            for name in ("content", "reasoning_content"):
                message[name] = message.get(name, "") + (delta.get(name) or "")
            for call in delta.get("tool_calls") or ():
                known = calls.setdefault(call["index"], {"id": call.get("id"), "function": {"name": "", "arguments": ""}})
                for part in known["function"]:
                    known["function"][part] += call["function"].get(part) or ""
    message["tool_calls"] = list(calls.values())
    return {"choices": [{"message": message, "text": message["content"], "finish_reason": finish}], "usage": usage}


def _of_choices(told: dict[str, Json], family: str) -> dict[str, Json]:
    choice = told["choices"][0]
    message = choice["message"] if family == "chat" else {"content": choice["text"]}
    respond: dict[str, Json] = {"finish_reason": choice["finish_reason"]}
    calls = [
        {"id": call["id"], "name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        for call in message.get("tool_calls") or ()
    ]
    usage = told["usage"]
    reasoning = (((usage or {}).get("completion_tokens_details")) or {}).get("reasoning_tokens", 0)
    if reasoning or message.get("reasoning_content"):
        respond["reasoning"] = {"text": message.get("reasoning_content") or "", "tokens": reasoning}
    if message.get("content") or not calls:
        respond["text"] = message.get("content") or ""
    if calls:
        respond["tool_calls"] = calls
    if usage is not None:
        respond["usage"] = _counts(usage)
    return respond


def _counts(usage: dict[str, Json]) -> dict[str, Json]:
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")
    counts = {name: usage[name] for name in names if name in usage}
    for name in ("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"):
        if usage.get(name):
            counts[name] = usage[name]
    return counts


def _of_items(told: dict[str, Json]) -> dict[str, Json]:
    respond: dict[str, Json] = {"usage": _counts(told["usage"])}
    calls, items = [], []
    for item in told["output"]:
        if item["type"] == "reasoning":
            tokens = told["usage"]["output_tokens_details"]["reasoning_tokens"]
            respond["reasoning"] = {"summary": [part["text"] for part in item["summary"]], "tokens": tokens}
        elif item["type"] == "message":
            (part,) = item["content"]
            respond["text"] = part["text"]
            if part["annotations"]:
                respond["annotations"] = part["annotations"]
        elif item["type"] == "function_call":
            calls.append({"id": item["call_id"], "name": item["name"], "arguments": item["arguments"]})
        else:
            items.append({name: value for name, value in item.items() if name != "id"})
    if "reasoning" not in respond:
        respond["reasoning"] = False
    if told["status"] == "incomplete":
        respond["finish_reason"] = "length"
    return respond | ({"tool_calls": calls} if calls else {}) | ({"items": items} if items else {})
