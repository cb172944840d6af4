"""What is asked in the name of conformance: bodies, and the scripted answers that they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = Any
IMAGE = "data:image/png;base64,iVBORw0KGgo="


@dataclass(frozen=True)
class Case:
    """A request body, and what the script says to it; without a script the server improvises."""

    name: str
    body: dict[str, Json]
    respond: dict[str, Json] | None = None


def _schema(**properties: str) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


_WEATHER = {"name": "get_weather", "description": "The weather", "parameters": _schema(city="string"), "strict": True}
_CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}
_BLOCKED = {"content_filter": {"completion": {"violence": "high"}}, "text": "never seen"}
_DETECTED = {
    "content_filter": {"prompt": {"jailbreak": False, "hate": "low"}, "completion": {"profanity": False}},
    "text": "Hm.",
}
_DOWN = {"content_filter": {"prompt": {"failed": True}, "completion": {"failed": True}}, "text": "unjudged"}
_THOUGHT = {"reasoning": {"summary": ["First.", "Then."], "tokens": 64}, "text": "Done."}


def _chat(name: str, respond: dict[str, Json] | None = None, *, model: str = "gpt-4o", **body: Json) -> Case:
    return Case(name, {"model": model, "messages": [{"role": "user", "content": "Hello, say json"}], **body}, respond)


_TOOLS = [{"type": "function", "function": _WEATHER}]
_TOOL_TURN = [
    {"role": "user", "content": "And in Paris?"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
]
_PICTURE = [
    {"role": "user", "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": IMAGE}}]}
]
_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "strict": True, "schema": _schema(city="string", degrees="number")},
}
CHAT = (
    _chat("improvised"),
    _chat("text", {"text": "Grüße <b>& mehr</b> 🙂"}),
    _chat(
        "usage", {"text": "Hi", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}, stream_options={"include_usage": True}
    ),
    _chat("no padding", stream_options={"include_obfuscation": False}),
    _chat("priority", service_tier="priority", store=True, metadata={"a": "b"}, seed=4, user="u", logit_bias={"50256": -100}),
    _chat("tool call", {"tool_calls": [{**_CALL, "id": "call_x"}]}, tools=_TOOLS),
    _chat("parallel tool calls", {"text": "Wait.", "tool_calls": [_CALL, _CALL]}, tools=_TOOLS),
    _chat("forced tool", tools=_TOOLS, tool_choice={"type": "function", "function": {"name": "get_weather"}}),
    _chat("tool turn", tools=_TOOLS, messages=_TOOL_TURN),
    _chat(
        "custom tool",
        {"tool_calls": [{"name": "sql", "arguments": "select 1", "kind": "custom"}]},
        tools=[{"type": "custom", "custom": {"name": "sql"}}],
    ),
    _chat("legacy function", functions=[{"name": "f", "parameters": _schema(a="string")}], function_call={"name": "f"}),
    _chat("structured", response_format=_FORMAT),
    _chat("json mode", response_format={"type": "json_object"}),
    _chat("thinking", _THOUGHT, model="gpt-5-mini", stream_options={"include_usage": True}),
    _chat("thinking, improvised", model="o4-mini", reasoning_effort="high", max_completion_tokens=400),
    _chat("several choices", n=3, stream_options={"include_usage": True}),
    _chat("log probabilities", {"text": "a few words"}, logprobs=True, top_logprobs=3),
    _chat("refusal", {"refusal": "I cannot."}),
    _chat("cut by the limit", {"text": "one two three four five"}, max_completion_tokens=2),
    _chat("stopped", {"text": "one two three"}, stop=["two"]),
    _chat("withheld", _BLOCKED),
    _chat("judged", _DETECTED),
    _chat("filter down", _DOWN),
    _chat("image", messages=_PICTURE),
    _chat(
        "audio",
        {"audio": {"transcript": "Hi", "data": "UklGRg=="}},
        model="gpt-audio",
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "pcm16"},
    ),
    _chat(
        "prediction",
        {"text": "a b c"},
        prediction={"type": "content", "content": "a b d"},
        stream_options={"include_usage": True},
    ),
    _chat("Grok", {"reasoning": "Hm", "text": "Hi"}, model="grok-3-mini"),
    _chat("Grok calls a tool", {"tool_calls": [_CALL]}, model="grok-3-mini", tools=_TOOLS),
    _chat("DeepSeek", {"reasoning": "Hm", "text": "Hi"}, model="DeepSeek-R1"),
    _chat("MAI", {"reasoning": "Hm", "text": "Hi"}, model="MAI-DS-R1"),
)


def _responses(name: str, respond: dict[str, Json] | None = None, *, model: str = "gpt-4o", **body: Json) -> Case:
    return Case(name, {"model": model, "input": "Hello, say json", **body}, respond)


def _item(kind: str, **members: Json) -> Case:
    return _responses(f"item: {kind}", {"text": "Done.", "items": [{"type": kind, **members}]})


_LISTED = [
    {"role": "developer", "content": "Be brief."},
    {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": IMAGE}],
    },
    {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
]
_CITED = {
    "text": "See there.",
    "annotations": [{"type": "url_citation", "start_index": 0, "end_index": 3, "url": "https://example.org", "title": "There"}],
}
_DONE = {"status": "completed"}


def _uses(use: str, model: str = "gpt-4o", **tool: Json) -> Case:
    return _responses(f"improvised use: {use}", model=model, tools=[tool], tool_choice="required")


_ENCRYPTED = {"include": ["reasoning.encrypted_content"], "store": False}
RESPONSES = (
    _responses("improvised"),
    _responses("text", {"text": "Grüße <b>& mehr</b> 🙂"}),
    _responses("items in", {"text": "Hi"}, input=_LISTED, instructions="Be kind.", metadata={"a": "b"}),
    _responses(
        "parameters", temperature=0.5, top_p=0.5, max_output_tokens=400, truncation="auto", parallel_tool_calls=False, user="u"
    ),
    _responses("tool call", {"tool_calls": [{**_CALL, "id": "call_x"}]}, tools=[{"type": "function", **_WEATHER}]),
    _responses(
        "parallel tool calls", {"text": "Wait.", "tool_calls": [_CALL, _CALL]}, tools=[{"type": "function", **_WEATHER}]
    ),
    _responses(
        "forced tool", tools=[{"type": "function", **_WEATHER}], tool_choice={"type": "function", "name": "get_weather"}
    ),
    _responses(
        "custom tool",
        {"tool_calls": [{"name": "sql", "arguments": "select 1", "kind": "custom"}]},
        tools=[{"type": "custom", "name": "sql"}],
    ),
    _responses(
        "structured",
        text={"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": _schema(city="string")}},
    ),
    _responses("json mode", text={"format": {"type": "json_object"}}),
    _responses("thinking", _THOUGHT, model="gpt-5-mini", reasoning={"effort": "low", "summary": "auto"}),
    _responses("thinking in secret", _THOUGHT, model="gpt-5-nano", **_ENCRYPTED),
    _responses("thinking, improvised", model="gpt-5.6-luna", reasoning={"effort": "high"}),
    _responses("refusal", {"refusal": "I cannot."}),
    _responses("log probabilities", {"text": "a few words"}, include=["message.output_text.logprobs"], top_logprobs=3),
    _responses("citation", _CITED),
    _responses("incomplete", {"text": "word " * 40}, max_output_tokens=16),
    _responses("withheld", _BLOCKED),
    _responses("judged", _DETECTED),
    _responses("filter down", _DOWN),
    _uses("web search", type="web_search"),
    _uses("preview web search", type="web_search_preview"),
    _uses("code interpreter", type="code_interpreter", container={"type": "auto"}),
    _uses("image_generation_call", type="image_generation", size="1024x1536", output_format="jpeg"),
    _uses("mcp", type="mcp", server_label="docs", server_url="https://x"),
    _uses("trusted mcp", type="mcp", server_label="docs", server_url="https://x", require_approval="never"),
    _uses(
        "computer",
        "computer-use-preview",
        type="computer_use_preview",
        display_width=800,
        display_height=600,
        environment="browser",
    ),
    _uses("local shell", type="local_shell"),
    _uses("shell", type="shell"),
    _uses("hosted shell", type="shell", environment={"type": "container_auto"}),
    _uses("apply patch", type="apply_patch"),
    _uses("grammar", type="custom", name="sql", format={"type": "grammar", "syntax": "regex", "definition": "select [0-9]+"}),
    _item("web_search_call", action={"type": "search", "query": "news"}, **_DONE),
    _item("file_search_call", queries=["a"], results=None, **_DONE),
    _item("code_interpreter_call", code="print(1)", container_id="cntr_1", outputs=[{"type": "logs", "logs": "1"}], **_DONE),
    _item("computer_call", call_id="c1", action={"type": "screenshot"}, pending_safety_checks=[], **_DONE),
    _item("mcp_list_tools", server_label="docs", tools=[{"name": "ask", "input_schema": {"type": "object"}}]),
    _item("mcp_call", server_label="docs", name="ask", arguments='{"q":1}', output="yes", **_DONE),
    _item("mcp_approval_request", server_label="docs", name="ask", arguments="{}"),
    _item("local_shell_call", call_id="c2", action={"type": "exec", "command": ["ls"], "env": {}}, **_DONE),
    _item("shell_call", call_id="c3", action={"commands": ["ls"], "timeout_ms": None, "max_output_length": None}, **_DONE),
    _item(
        "shell_call_output",
        call_id="c3",
        max_output_length=None,
        output=[{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
    ),
    _item("apply_patch_call", call_id="c4", operation={"type": "delete_file", "path": "a"}, **_DONE),
    _item("apply_patch_call_output", call_id="c4", output="gone", **_DONE),
    _item("compaction", encrypted_content="gAAAA"),
    _item("image_generation_call", result="iVBORw0KGgo=", **_DONE),
)

EMBEDDINGS = (
    Case("numbers", {"model": "text-embedding-3-small", "input": "Hello", "encoding_format": "float"}),
    Case("base64", {"model": "text-embedding-3-small", "input": ["Hello", "World"], "encoding_format": "base64"}),
    Case("dimensions", {"model": "text-embedding-3-large", "input": "Hello", "dimensions": 8}),
    Case("tokens", {"model": "text-embedding-ada-002", "input": [[9906], [4435]]}),
    Case("scripted", {"model": "text-embedding-3-small", "input": "Hello"}, {"embedding": [0.6, 0.8]}),
)
COMPLETIONS = (
    Case("improvised", {"model": "gpt-35-turbo-instruct", "prompt": "Once"}),
    Case(
        "several",
        {
            "model": "gpt-35-turbo-instruct",
            "prompt": ["a", "b"],
            "n": 2,
            "best_of": 2,
            "stream_options": {"include_usage": True},
        },
    ),
    Case("log probabilities", {"model": "davinci-002", "prompt": "a", "logprobs": 3, "echo": True}, {"text": "b c"}),
    Case("withheld", {"model": "davinci-002", "prompt": "a"}, _BLOCKED),
)

_HI = [{"role": "user", "content": "Hi"}]
ERRORS = (
    ("POST", "/chat/completions", {"messages": _HI}),
    ("POST", "/chat/completions", {"model": "gpt-4o"}),
    ("POST", "/chat/completions", {"model": "gpt-4o", "messages": []}),
    ("POST", "/chat/completions", {"model": "gpt-4o", "messages": "Hi"}),
    ("POST", "/chat/completions", {"model": "gpt-4o", "messages": _HI, "temperature": 9}),
    ("POST", "/chat/completions", {"model": "gpt-4o", "messages": _HI, "quality": 9}),
    ("POST", "/chat/completions", {"model": "o4-mini", "messages": _HI, "max_tokens": 9}),
    ("POST", "/chat/completions", {"model": "absent", "messages": _HI}),
    ("POST", "/chat/completions", {"model": "text-embedding-3-small", "messages": _HI}),
    ("POST", "/responses", {"model": "gpt-4o"}),
    ("POST", "/responses", {"model": "gpt-4o", "input": "Hi", "previous_response_id": "resp_gone"}),
    ("POST", "/responses", {"model": "gpt-4o", "input": "Hi", "tools": [{"type": "hammer"}]}),
    ("POST", "/embeddings", {"model": "text-embedding-3-small", "input": ""}),
    ("POST", "/completions", {"model": "gpt-35-turbo-instruct", "prompt": 5}),
    ("GET", "/responses/resp_gone", None),
    ("DELETE", "/responses/resp_gone", None),
    ("GET", "/responses/resp_gone/input_items", None),
    ("GET", "/conversations/conv_gone", None),
    ("DELETE", "/conversations/conv_gone/items/msg_gone", None),
    ("GET", "/containers/cntr_gone", None),
    ("DELETE", "/containers/cntr_gone/files/cfile_gone", None),
    ("GET", "/models/absent", None),
    ("PUT", "/models", None),
    ("GET", "/files/fake_id", None),
    ("DELETE", "/files/fake_id", None),
    ("GET", "/files/fake_id/content", None),
    ("GET", "/files?limit=0", None),
    ("POST", "/files", {"purpose": "batch"}),
    ("GET", "/vector_stores/vs_gone", None),
    ("POST", "/vector_stores/vs_gone/files", {"file_id": "assistant-1"}),
    ("GET", "/vector_stores/vs_gone/files?filter=expired", None),
    ("GET", "/vector_stores/vs_gone/file_batches/vsfb_gone", None),
    ("POST", "/vector_stores", {"file_ids": ["assistant-gone"]}),
    ("POST", "/vector_stores", {"chunking_strategy": {"type": "other"}}),
    ("POST", "/threads", {}),
)
"""Requests that the service refuses, with what it says then."""

NAMED = (
    "rate_limit",
    "token_rate_limit",
    "server_error",
    "unavailable",
    "timeout",
    "content_filter",
    "context_length",
    "forbidden",
)
"""Errors that a script calls by name."""

_COMPARED = {"name": "x", "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}
_JUDGED = {"name": "x", "model": "gpt-4.1", "input": [{"role": "user", "content": "{{sample.output_text}}"}]}
_CHECK = {**_COMPARED, "type": "string_check", "operation": "eq"}
GRADERS = (
    _CHECK,
    {**_COMPARED, "type": "text_similarity", "evaluation_metric": "rouge_l"},
    {**_JUDGED, "type": "score_model", "range": [1, 5], "sampling_params": {"seed": 1, "reasoning_effort": "low"}},
    {"type": "python", "source": "def grade(sample, item): return 1", "image_tag": "2025-05-08"},
    {
        "type": "endpoint",
        "name": "x",
        "url": "https://grader.example",
        "headers": {"a": "b"},
        "rate_limit": 1,
        "pass_threshold": 1,
    },
    {"type": "multi", "name": "x", "graders": {"a": _CHECK}, "calculate_output": "a"},
)

NOT_FOLLOWED = (
    (
        "multi",
        r"grader\.graders(\.\w+)?: '(type|name|url)' is",
        "A multi grader has its graders by name, where the document has a single one (documented).",
    ),
    (
        "token",
        r"no 'error' object|is required and absent",
        "The refusal of a token has no `error` around it (documented and reported).",
    ),
    (
        "DeepSeek",
        r"'(logprobs|refusal)' is required and absent",
        "DeepSeek's answers leave out `logprobs` and `refusal` (recorded).",
    ),
    (
        "Grok",
        r"choices\[0\]: 'finish_reason' is required and absent|finish_reason: 'finish_reason' is required and absent",
        "Grok's chunks leave out `finish_reason` until there is one (recorded).",
    ),
    (
        "web",
        r"output_item.added \$.item.action.query: 'query' is required and absent",
        "A search of the web that has only begun has no `query` (recorded).",
    ),
    (
        "image_generation_call",
        r"output_item.added \$.item(.result)?: 'result' is required and absent",
        "An image that has only begun has no `result` (recorded).",
    ),
    (
        "EvalRun",
        r"\$\S*: None is not of type",
        "A run of an eval has nulls where it has no model, no error and no sample (recorded on a project).",
    ),
    (
        "request without a model",
        r"'code' is required and absent",
        "The refusal of a request without a model has no `code` (recorded).",
    ),
    (
        "filter down",
        r"'content_filter_error' is not of type 'integer'",
        "The code that says that the filter was down is a word, not a number (documented, and seen in streams).",
    ),
    (
        "custom tool",
        r"delta.tool_calls\[0\].type: 'custom' is not one of",
        "A stream can call custom tools, which the document's chunk does not know (inferred).",
    ),
    (
        "file of jobs",
        r"POST /files: status 201 is not documented",
        "A new file of jobs is answered with 201 (recorded).",
    ),
    (
        "retrieveContainerFileContent",
        r"'text/plain' is not among",
        "A file in a container is downloaded with the type that its name says (recorded on the sister service).",
    ),
    (
        "retrieveVectorStoreFileContent",
        r"\$\.(object|search_query|data)",
        "The content of a file in a vector store is a page of texts, and not of search results (documented, SDK).",
    ),
    (
        "VectorStore",
        r"\$(.data\[\d\])?.name: None is not of type 'string'",
        "A vector store without a name has a `name` of null (recorded).",
    ),
    (
        "FineTuningJob",
        r"(error|fine_tuned_model|finished_at|organization_id|result_files|trained_tokens|validation_file)' is required and absent",
        "A fine-tuning job leaves out members that have no value, and has no `organization_id` (recorded).",
    ),
    (
        "FineTuningJob",
        r"\.status: '(pending|paused|resuming)' is not one of",
        "A new fine-tuning job is `pending`, and one can be `paused` and `resuming` (recorded).",
    ),
    (
        "FineTuningJob",
        r"\.(finished_at|estimated_finish): \d+ is not of type 'string'",
        "Times of fine-tuning jobs are numbers, which the document calls strings (recorded).",
    ),
)
"""Where the service, or what is known of it, breaks its own document: which cases, the finding, and why."""
