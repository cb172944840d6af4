"""What happens in one process: an SDK call, a fresh resource, rules, and the memory of stored responses."""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import httpx2
import openai

from benchmarks import workload
from benchmarks.asgi import App, Transport, call
from benchmarks.budget import RESOURCE, RESPOND, SHARE, Figure, Findings, median
from mockserver import create_app
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.pipeline import respond
from mockserver.gateway.rendering import Request
from mockserver.resource.resource import Resource
from mockserver.resource.resources import Resources

_HEADERS = [
    (b"host", b"127.0.0.1"),
    (b"authorization", b"Bearer " + workload.KEY.encode()),
    (b"content-type", b"application/json"),
]
_CHAT = "/openai/v1/chat/completions"
_RESPONSES = "/openai/v1/responses"
_FEW, _MANY = 3, 20


def sdk_calls(count: int) -> Findings:
    """The server's share of the SDK's `chat.completions.create`, over a transport that drives the application directly."""
    transport = Transport(create_app(workload.scenario()))
    shares, totals = [], []
    with httpx2.Client(transport=transport) as http:
        client = openai.OpenAI(base_url="http://mock/openai/v1/", api_key=workload.KEY, http_client=http)
        documents = [json.loads(workload.numbered(workload.WEATHER, at)) for at in range(count + count // 10)]
        for at in range(count + count // 10):
            begun = time.perf_counter()
            answer = client.chat.completions.create(**documents[at])
            total = time.perf_counter() - begun
            assert answer.choices[0].message.content == workload.PLAIN
            if at >= count // 10:
                shares.append(100 * transport.seconds / total)
                totals.append(total * 1e6)
    share, total = median(shares), median(totals)
    return Findings([Figure(SHARE, share, f"{share * total / 100:.0f} us of {total:.0f} us")])


def without_socket(count: int) -> Findings:
    """What the pipeline takes for a chat, from its bytes to those of its answer; no two bodies are the same."""
    resources = create_app(workload.scenario()).state.resources
    headers = RequestHeaders(_HEADERS)
    requests = [Request("POST", _CHAT, "", headers, workload.numbered(workload.WEATHER, at)) for at in range(count)]
    times = [_timed(partial(respond, resources, request)) for request in requests]
    return Findings([Figure(RESPOND, median(times[count // 10 :]) * 1e6)])


def fresh_resources(count: int) -> Findings:
    """A resource for one test: made, served under a key of its own, and taken away again."""
    resources = Resources([Resource()])
    times = [_timed(partial(_live_and_go, resources, f"test-{at}")) for at in range(count)]
    scripted = [_timed(lambda: _script(Resource("scripted"))) for _ in range(count)]
    note = f"a rule written in Python, when(user=...).respond(text): {median(scripted) * 1e3:.2f} ms"
    return Findings([Figure(RESOURCE, median(times) * 1e3)], [note])


def _live_and_go(resources: Resources, name: str) -> None:
    resources.add(Resource(name, keys=(f"key-{name}",)))
    resources.remove(name)


def _script(resource: Resource) -> None:
    resource.script.when(user="weather").respond("It rains.")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def matching(count: int) -> Findings:
    """What a request costs when the last of few and of many rules answers it."""
    few, many = (create_app(workload.scenario(rules)) for rules in (_FEW, _MANY))
    times: dict[int, list[float]] = {_FEW: [], _MANY: []}
    for at in range(count):
        for rules, app in ((_FEW, few), (_MANY, many)):
            body = workload.numbered(workload.WEATHER, at)
            times[rules].append(_timed(partial(call, app, _CHAT, _HEADERS, body)))
    less, more = (median(times[rules]) * 1e6 for rules in (_FEW, _MANY))
    return Findings(
        notes=[f"a request that the last of {_MANY} rules answers, no TCP: {more:.0f} us (of {_FEW}: {less:.0f} us)"]
    )


def memory(count: int) -> Findings:
    """What a stored response takes in memory, beside its JSON."""
    app = create_app({"rules": [{"respond": workload.PLAIN}]}, journal_limit=1)
    size = _respond(app, 20)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    _respond(app, count)
    gc.collect()
    taken = (tracemalloc.get_traced_memory()[0] - before) / count
    tracemalloc.stop()
    return Findings(notes=[f"memory of a stored response / its JSON: {taken / size:.1f}x ({taken:.0f} / {size} bytes)"])


def _respond(app: App, count: int) -> int:
    """Ask for so many responses; the size of the last."""
    size = 0
    for at in range(count):
        body = json.dumps({"model": workload.MODEL, "input": f"What is the weather on visit {at} to Paris?"}).encode()
        start, answer = call(app, _RESPONSES, _HEADERS, body)
        if start["status"] != 200:
            raise RuntimeError(f"{start['status']}: {answer['body']!r}")
        size = len(json.dumps(json.loads(answer["body"]), separators=(",", ":")))
    return size
