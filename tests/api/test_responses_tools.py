"""Built-in tools: used where the caller demands it, filled in where a script leaves something open, streamed as recorded."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import struct
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer, ScenarioError

Json = Any
MODEL = "gpt-4.1-nano"
DRAWS = {"x-ms-oai-image-generation-deployment": "gpt-image-1"}
CODE = {"type": "code_interpreter", "container": {"type": "auto"}}
DRAW = {"type": "image_generation"}
SERVER = {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example.com/mcp"}
SCREEN = {"type": "computer_use_preview", "display_width": 800, "display_height": 600, "environment": "browser"}
HOSTED_SHELL = {"type": "shell", "environment": {"type": "container_auto"}}
TOOLS: list[tuple[str, Json, list[str]]] = [
    ("preview web search", {"type": "web_search_preview"}, ["web_search_call", "message"]),
    ("web search", {"type": "web_search"}, ["web_search_call", "message"]),
    ("code interpreter", CODE, ["code_interpreter_call", "message"]),
    ("image generation", DRAW, ["image_generation_call", "message"]),
    ("computer preview", SCREEN, ["computer_call"]),
    ("computer", {"type": "computer"}, ["computer_call"]),
    ("local shell", {"type": "local_shell"}, ["local_shell_call"]),
    ("shell", {"type": "shell"}, ["shell_call"]),
    ("hosted shell", HOSTED_SHELL, ["shell_call", "shell_call_output", "message"]),
    ("apply patch", {"type": "apply_patch"}, ["apply_patch_call"]),
    ("mcp", SERVER, ["mcp_list_tools", "mcp_approval_request"]),
    ("trusted mcp", {**SERVER, "require_approval": "never"}, ["mcp_list_tools", "mcp_call", "message"]),
]
each_tool = pytest.mark.parametrize(("tool", "kinds"), [case[1:] for case in TOOLS], ids=[case[0] for case in TOOLS])


@pytest.fixture(autouse=True)
def every_model_has_every_tool(mock: MockServer) -> None:
    mock.resource.allowed = frozenset(["hosted_tools"])


def ask(client: OpenAI, tool: Json, text: str = "Add 3 and 4.", *, choice: Json = "required", **rest: Json) -> Json:
    """The output of a response that may, or must, use one tool."""
    return client.responses.create(
        model=MODEL, input=text, tools=[tool], tool_choice=choice, extra_headers=DRAWS, **rest
    ).output


def post(http: httpx2.Client, mock: MockServer, headers: dict[str, str] = DRAWS, **body: Json) -> httpx2.Response:
    document = {"model": MODEL, "input": "hi", **body}
    return http.post(f"{mock.base_url}responses", json=document, headers={"api-key": mock.api_key, **headers})


def events(text: str) -> list[Json]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


# -- without a script


@each_tool
def test_a_demanded_tool_is_used(client: OpenAI, tool: Json, kinds: list[str]) -> None:
    assert [item.type for item in ask(client, tool)] == kinds


@each_tool
def test_a_tool_that_is_not_demanded_is_left_alone(client: OpenAI, tool: Json, kinds: list[str]) -> None:
    assert [item.type for item in ask(client, tool, choice="auto")] == ["message"]
    assert [item.type for item in ask(client, tool, choice="none")] == ["message"]


@each_tool
def test_the_sdks_helper_reads_the_stream_of_every_tool(client: OpenAI, tool: Json, kinds: list[str]) -> None:
    with client.responses.stream(
        model=MODEL, input="Add 3 and 4.", tools=[tool], tool_choice="required", extra_headers=DRAWS
    ) as stream:
        seen = [event.type for event in stream]
        final = stream.get_final_response()
    assert [item.type for item in final.output] == kinds
    assert seen.count("response.output_item.done") == len(kinds)
    assert [item.id for item in client.responses.retrieve(final.id).output] == [item.id for item in final.output]


@pytest.mark.anyio
async def test_the_asynchronous_client_gets_every_tool(async_client: AsyncOpenAI) -> None:
    for _, tool, kinds in TOOLS:
        asked: Json = {"model": MODEL, "input": "Add 3 and 4.", "tools": [tool], "tool_choice": "required"}
        answer = await async_client.responses.create(**asked, extra_headers=DRAWS)
        assert [item.type for item in answer.output] == kinds
        async with async_client.responses.stream(**asked, extra_headers=DRAWS) as stream:
            final = await stream.get_final_response()
        assert [item.type for item in final.output] == kinds


def test_one_of_several_tools_can_be_demanded(client: OpenAI) -> None:
    tools: Json = [{"type": "web_search"}, CODE, SERVER, {**SERVER, "server_label": "other"}]
    demands: list[tuple[Json, str]] = [
        ({"type": "code_interpreter"}, "code_interpreter_call"),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "code_interpreter"}]}, "code_interpreter_call"),
        ("required", "web_search_call"),
    ]
    for choice, kind in demands:
        assert client.responses.create(model=MODEL, input="x", tools=tools, tool_choice=choice).output[0].type == kind
    choice = {"type": "mcp", "server_label": "other"}
    listed = client.responses.create(model=MODEL, input="x", tools=tools, tool_choice=choice).output[0]
    assert listed.type == "mcp_list_tools"
    assert listed.server_label == "other"


def test_the_callers_own_functions_come_before_built_in_tools(client: OpenAI) -> None:
    function: Json = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
    tools: Json = [{"type": "web_search"}, function]
    answer = client.responses.create(model=MODEL, input="x", tools=tools, tool_choice="required")
    assert [item.type for item in answer.output] == ["function_call"]


def test_json_stays_json_beside_a_tool(client: OpenAI) -> None:
    form: Json = {
        "format": {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {}}, "strict": False}
    }
    for tool in ({"type": "web_search"}, CODE, DRAW, {**SERVER, "require_approval": "never"}):
        asked: Json = {"model": MODEL, "input": "x", "tools": [tool], "tool_choice": "required", "text": form}
        answer = client.responses.create(**asked, extra_headers=DRAWS)
        message = answer.output[-1]
        assert message.type == "message"
        assert answer.output_text == "{}"
        assert message.content[0].annotations == []  # type: ignore[union-attr]


def test_a_web_answer_cites_its_page_where_it_stands(client: OpenAI) -> None:
    search, message = ask(client, {"type": "web_search"}, "Who wrote it?", include=["web_search_call.action.sources"])
    (part,) = message.content
    (citation,) = part.annotations
    assert search.action.query == "Who wrote it?"
    assert citation.url == search.action.sources[0].url
    assert citation.url in part.text[citation.start_index : citation.end_index]
    assert citation.end_index == len(part.text)


# -- images


@pytest.mark.parametrize(("form", "head"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff"), ("webp", b"RIFF")])
def test_a_picture_comes_in_the_wanted_format(client: OpenAI, form: str, head: bytes) -> None:
    image, _ = ask(client, {**DRAW, "output_format": form, "size": "1536x1024", "quality": "low"}, "A red kite")
    assert base64.b64decode(image.result).startswith(head)
    shown = (image.output_format, image.size, image.quality, image.background, image.revised_prompt)
    assert shown == (form, "1536x1024", "low", "opaque", "A red kite")


def test_a_picture_has_the_wanted_ratio(client: OpenAI) -> None:
    image, _ = ask(client, {**DRAW, "size": "1024x1536"})
    width, height = struct.unpack_from(">II", base64.b64decode(image.result), 16)
    assert width * 1536 == height * 1024


@pytest.mark.parametrize(("wanted", "partial"), [(None, 1), (0, 1), (1, 1), (3, 3)])
def test_partial_images_come_as_often_as_wanted(
    http: httpx2.Client, mock: MockServer, wanted: int | None, partial: int
) -> None:
    told = events(post(http, mock, tools=[{**DRAW, "partial_images": wanted}], tool_choice="required", stream=True).text)
    images = [event for event in told if event["type"].endswith(".partial_image")]
    assert [event["partial_image_index"] for event in images] == list(range(partial))
    assert images[-1]["partial_image_b64"] == told[-1]["response"]["output"][0]["result"]
    assert not any(event["type"] == "response.image_generation_call.completed" for event in told)


def test_drawing_needs_a_deployment_of_its_own(http: httpx2.Client, mock: MockServer) -> None:
    error = assert_azure_error(post(http, mock, {}, tools=[DRAW]), 400, code="invalid_request_error", param="tools")
    assert error["message"] == "imagegen deployment must be provided through header: x-ms-oai-image-generation-deployment"
    assert error["type"] == "image_generation_user_error"
    with MockServer({"deployments": {MODEL: MODEL}}) as other:
        assert_azure_error(post(http, other, tools=[DRAW]), 404, code="DeploymentNotFound")


# -- code


def test_code_runs_in_a_container_whose_files_can_be_downloaded(client: OpenAI) -> None:
    run, message = ask(client, CODE, "Add 3, 4 and 0.5 into total.csv", include=["code_interpreter_call.outputs"])
    assert run.outputs[0].logs == "7.5\n"
    assert client.containers.retrieve(run.container_id).status == "running"
    (citation,) = message.content[0].annotations
    link = message.content[0].text[citation.start_index : citation.end_index]
    assert (citation.type, citation.filename, link) == ("container_file_citation", "total.csv", "sandbox:/mnt/data/total.csv")
    assert citation.container_id == run.container_id
    assert client.containers.files.content.retrieve(citation.file_id, container_id=run.container_id).read() == b"7.5\n"
    (listed,) = client.containers.files.list(run.container_id).data
    assert (listed.id, listed.source, listed.path) == (citation.file_id, "assistant", "/mnt/data/total.csv")


def test_improvised_code_is_python_that_prints_what_it_says(client: OpenAI) -> None:
    for text in ("Add 3 and 4.", "Add 007, -2 and 1.50 to 2026.csv.", "How many words does this text have?", 'Quote "this"'):
        run, _ = ask(client, CODE, text, include=["code_interpreter_call.outputs"])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(run.code, {"open": lambda *_: io.StringIO()})
        assert printed.getvalue() == run.outputs[0].logs


def test_outputs_of_code_are_shown_only_when_asked_for(client: OpenAI) -> None:
    assert ask(client, CODE)[0].outputs is None


def test_a_conversation_keeps_its_container_while_it_runs(mock: MockServer, client: OpenAI) -> None:
    asked: Json = {"model": MODEL, "input": "Add 1 and 2", "tools": [CODE], "tool_choice": "required"}
    first = client.responses.create(**asked)
    second = client.responses.create(**asked, previous_response_id=first.id)
    mock.clock.advance(21 * 60)
    third = client.responses.create(**asked, previous_response_id=second.id)
    names = [answer.to_dict()["output"][0]["container_id"] for answer in (first, second, third)]  # type: ignore[index]
    assert names[0] == names[1] != names[2]


def test_code_works_in_the_container_that_the_tool_names(client: OpenAI) -> None:
    container = client.containers.create(name="mine")
    (run, _) = ask(client, {"type": "code_interpreter", "container": container.id})
    assert run.container_id == container.id


def test_a_new_container_gets_the_tools_files(client: OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"abc"), purpose="assistants")
    run, _ = ask(client, {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [file.id]}})
    assert [one.bytes for one in client.containers.files.list(run.container_id).data] == [3]


@pytest.mark.parametrize(
    ("tool", "status", "param", "text"),
    [
        ({"type": "code_interpreter", "container": "cntr_x"}, 404, None, "Container with id 'cntr_x' not found."),
        ({"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}}, 404, "id", "No such File object: f"),
        ({"type": "code_interpreter", "container": {}}, 400, "tools[0].container.type", "Missing required parameter"),
        ({"type": "code_interpreter", "container": {"type": "x"}}, 400, "tools[0].container.type", "Invalid value: 'x'."),
        ({"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "2g"}}, 400,
         "tools[0].container.memory_limit", "Supported values are: '1g', '4g', '16g', and '64g'."),
        ({"type": "code_interpreter", "container": {"type": "auto", "file_ids": [1]}}, 400,
         "tools[0].container.file_ids[0]", "expected a string, but got an integer"),
        ({"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"] * 51}}, 400,
         "tools[0].container.file_ids", "array too long"),
        ({**SERVER, "allowed_tools": {"tool_names": 5}}, 400, "tools[0].allowed_tools.tool_names", "expected an array"),
        ({**SERVER, "require_approval": {"never": "x"}}, 400, "tools[0].require_approval.never", "expected an object"),
        ({**SERVER, "require_approval": {"never": {"tool_names": "x"}}}, 400, "tools[0].require_approval.never.tool_names",
         "expected an array"),
        ({"type": "shell", "environment": {"type": "container_reference"}}, 400, "tools[0].environment.container_id",
         "Missing required parameter"),
        ({"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_y"}}, 404, None, "'cntr_y' not found"),
        ({"type": "custom", "name": "f", "format": {"type": "grammar", "syntax": "ebnf", "definition": ""}}, 400,
         "tools[0].format.syntax", "Supported values are: 'lark' and 'regex'."),
        ({"type": "custom", "name": "f", "format": {"type": "grammar", "syntax": "lark"}}, 400,
         "tools[0].format.definition", "Missing required parameter"),
    ],
)  # fmt: skip
def test_what_a_tool_needs_has_to_be_right_and_there(
    http: httpx2.Client, mock: MockServer, tool: Json, status: int, param: str | None, text: str
) -> None:
    assert text in assert_azure_error(post(http, mock, tools=[tool]), status, param=param)["message"]


def test_an_expired_container_cannot_be_used(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="old")
    mock.clock.advance(21 * 60)
    answer = post(http, mock, tools=[{"type": "code_interpreter", "container": container.id}])
    assert assert_azure_error(answer, 400)["message"] == "Container is expired."


# -- tools of servers


def test_an_approved_call_is_made_and_names_its_request(client: OpenAI) -> None:
    listed, request = ask(client, {**SERVER, "allowed_tools": ["ask_question"]}, "What is new?")
    assert [tool.name for tool in listed.tools] == ["ask_question"]
    assert json.loads(request.arguments) == {"query": "What is new?"}


@pytest.mark.parametrize("scripted", [False, True])
def test_an_approval_lets_the_call_happen(mock: MockServer, client: OpenAI, scripted: bool) -> None:
    if scripted:
        mock.when(turn=2).respond(items=[{"type": "mcp_call", "output": "sunny"}], text="It is sunny.")
    tools: Json = [SERVER]
    first = client.responses.create(model=MODEL, input="Weather?", tools=tools, tool_choice="required")
    request = first.output[-1]
    assert request.type == "mcp_approval_request"
    approval: Json = {"type": "mcp_approval_response", "approval_request_id": request.id, "approve": True}
    second = client.responses.create(model=MODEL, input=[approval], tools=tools, previous_response_id=first.id)
    called, message = second.output
    assert called.type == "mcp_call"
    assert (called.approval_request_id, called.name, called.arguments) == (request.id, request.name, request.arguments)
    assert (called.server_label, called.status, called.error) == ("docs", "completed", None)
    assert message.type == "message"
    assert str(called.output) in second.output_text or scripted


def test_a_denied_call_is_not_made(client: OpenAI) -> None:
    tools: Json = [SERVER]
    first = client.responses.create(model=MODEL, input="Weather?", tools=tools, tool_choice="required")
    denial: Json = {"type": "mcp_approval_response", "approval_request_id": first.output[-1].id, "approve": False}
    second = client.responses.create(model=MODEL, input=[denial], tools=tools, previous_response_id=first.id)
    assert [item.type for item in second.output] == ["message"]


@pytest.mark.parametrize(
    ("policy", "needed"),
    [
        (None, True),
        ("always", True),
        ("never", False),
        ({"never": {"tool_names": ["search"]}}, False),
        ({"never": {"tool_names": ["other"]}}, True),
        ({"always": {"tool_names": ["search"]}}, True),
    ],
)
def test_approval_is_needed_unless_the_tool_says_otherwise(client: OpenAI, policy: Json, needed: bool) -> None:
    tool = SERVER if policy is None else {**SERVER, "require_approval": policy}
    assert ("mcp_approval_request" in [item.type for item in ask(client, tool)]) is needed


def test_a_servers_tools_are_listed_once_in_a_conversation(client: OpenAI) -> None:
    tools: Json = [{**SERVER, "require_approval": "never"}]
    first = client.responses.create(model=MODEL, input="a", tools=tools, tool_choice="required")
    second = client.responses.create(model=MODEL, input="b", tools=tools, tool_choice="required", previous_response_id=first.id)
    assert [item.type for item in second.output] == ["mcp_call", "message"]


# -- tools that the caller runs


def test_a_computer_loop_looks_first_and_then_clicks(client: OpenAI) -> None:
    tools: Json = [SCREEN]
    first = client.responses.create(model=MODEL, input="go", tools=tools, tool_choice="required")
    call = first.output[0]
    assert call.type == "computer_call"
    assert call.action is not None
    assert call.action.type == "screenshot"
    screenshot: Json = {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    output: Json = [{"type": "computer_call_output", "call_id": call.call_id, "output": screenshot}]
    second = client.responses.create(
        model=MODEL, input=output, tools=tools, tool_choice="required", previous_response_id=first.id
    )
    click = second.output[0]
    assert click.type == "computer_call"
    assert click.action is not None
    assert click.action.type == "click"
    assert (click.action.x, click.action.y) == (400, 300)


def test_a_hosted_shells_output_answers_its_call(mock: MockServer, client: OpenAI) -> None:
    call, output, _ = ask(client, HOSTED_SHELL)
    assert call.call_id == output.call_id
    assert client.containers.retrieve(call.environment.container_id).status == "running"
    mock.when(user="scripted").respond(items=[{"type": "shell_call"}, {"type": "shell_call_output"}], text="Done.")
    first = client.responses.create(model=MODEL, input="scripted")
    assert first.output[0].call_id == first.output[1].call_id  # type: ignore[union-attr]
    client.responses.create(model=MODEL, input="go on", previous_response_id=first.id)


# -- with a script


def test_a_scripts_files_are_in_the_container_and_cited(mock: MockServer, client: OpenAI) -> None:
    files = {"plot.png": {"base64": "iVBORw=="}, "plot.png.txt": "{{ user }}!"}
    text = "See ![plot](sandbox:/mnt/data/plot.png) and [text](sandbox:/mnt/data/plot.png.txt)."
    mock.when().respond(items=[{"type": "code_interpreter_call", "code": "plot()", "files": files}], text=text)
    run, message = client.responses.create(model=MODEL, input="Draw", tools=[CODE]).output  # type: ignore[list-item]
    assert run.type == "code_interpreter_call"
    assert message.type == "message"
    assert "files" not in run.to_dict()
    (part,) = message.content
    assert part.type == "output_text"
    cited = [(one.filename, part.text[one.start_index : one.end_index]) for one in part.annotations]  # type: ignore[union-attr]
    assert cited == [("plot.png", "sandbox:/mnt/data/plot.png"), ("plot.png.txt", "sandbox:/mnt/data/plot.png.txt")]
    contents = [
        client.containers.files.content.retrieve(one.file_id, container_id=run.container_id).read()  # type: ignore[union-attr]
        for one in part.annotations
    ]
    assert contents == [base64.b64decode("iVBORw=="), b"Draw!"]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"type": "web_search_call", "files": {}}, "'files' belongs to a code_interpreter_call, not to 'web_search_call'"),
        ({"type": "code_interpreter_call", "files": ["a"]}, "'files' is a mapping of names to texts"),
        ({"type": "code_interpreter_call", "files": {"a": 1}}, "the file 'a' is neither a text nor {base64: …}"),
        (
            {"type": "code_interpreter_call", "files": {"a": {"base64": "???"}}},
            "the file 'a' is neither a text nor {base64: …}",
        ),
    ],
)
def test_wrong_files_of_a_script_are_found_when_it_is_loaded(mock: MockServer, item: Json, text: str) -> None:
    with pytest.raises(ScenarioError, match=r"respond\.items\[0\]") as raised:
        mock.when().respond(items=[item])
    assert text in str(raised.value)


def test_a_text_that_is_cut_keeps_only_the_citations_that_stand_in_it(mock: MockServer, client: OpenAI) -> None:
    places = [
        {"type": "url_citation", "url": "https://x", "title": "t", "start_index": at, "end_index": at + 3} for at in (0, 200)
    ]
    mock.when().respond(text="word " * 60, annotations=places)
    part = client.responses.create(model=MODEL, input="x", max_output_tokens=16).output[0].content[0]  # type: ignore[union-attr]
    assert [one.start_index for one in part.annotations] == [0]  # type: ignore[union-attr]


@pytest.mark.parametrize("definition", [r"select [a-z]{3,8}( where [0-9]+ > \d)?", r"\d{4}-\d\d-\d\d", "a|b"])
def test_a_custom_tools_input_matches_its_regular_expression(client: OpenAI, definition: str) -> None:
    tool = {"type": "custom", "name": "run", "format": {"type": "grammar", "syntax": "regex", "definition": definition}}
    for text in ("one", "two", "three"):
        (called,) = ask(client, tool, text)
        assert re.fullmatch(definition, called.input), called.input


def test_a_custom_tools_input_follows_its_lark_grammar(client: OpenAI) -> None:
    definition = 'start: "turn" DIRECTION "by" DEGREES\nDIRECTION: "left" | "right"\nDEGREES: /[1-9][0-9]/\n%ignore " "'
    grammar = {"syntax": "lark", "definition": definition}
    (called,) = ask(client, {"type": "custom", "name": "run", "format": {"type": "grammar", **grammar}})
    assert re.fullmatch(r"turn (left|right) by \d\d", called.input), called.input
    tools: Json = [{"type": "custom", "custom": {"name": "run", "format": {"type": "grammar", "grammar": grammar}}}]
    chat = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "go"}], tools=tools, tool_choice="required"
    )
    (used,) = chat.choices[0].message.tool_calls or ()
    assert used.type == "custom"
    assert re.fullmatch(r"turn (left|right) by \d\d", used.custom.input), used.custom.input


def test_a_grammar_that_is_none_gets_words(client: OpenAI) -> None:
    for grammar in ({"syntax": "lark", "definition": "no grammar"}, {"syntax": "regex", "definition": "("}):
        (called,) = ask(client, {"type": "custom", "name": "run", "format": {"type": "grammar", **grammar}})
        assert len(called.input.split()) == 6
