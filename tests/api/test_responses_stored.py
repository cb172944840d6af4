"""Stored responses: retrieve, delete, cancel, list their input, continue them; background work and retention."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.state.work import Lifecycle, Lifecycles

MODEL = "gpt-4.1-nano"


def call(http: httpx2.Client, mock: MockServer, method: str, path: str, **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}responses{path}", headers={"api-key": mock.api_key}, **options)


def test_a_response_is_kept_unless_told_otherwise(client: OpenAI) -> None:
    kept = client.responses.create(model=MODEL, input="hi")
    assert client.responses.retrieve(kept.id).to_dict() == kept.to_dict()
    lost = client.responses.create(model=MODEL, input="hi", store=False)
    for attempt in (
        client.responses.retrieve,
        client.responses.delete,
        client.responses.cancel,
        client.responses.input_items.list,
    ):
        with pytest.raises(NotFoundError, match="not found"):
            attempt(lost.id)


def test_a_deleted_response_is_gone(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    kept = client.responses.create(model=MODEL, input="hi")
    deleted = call(http, mock, "DELETE", f"/{kept.id}")
    assert deleted.text == f'{{\n  "id": "{kept.id}",\n  "object": "response.deleted",\n  "deleted": true\n}}'
    assert "openai-processing-ms" in deleted.headers
    again = call(http, mock, "DELETE", f"/{kept.id}")
    message = f"Response with id '{kept.id}' not found."
    assert_azure_error(again, 404, message=message, type="invalid_request_error", param=None, code=None)


def test_responses_expire_after_thirty_days_of_the_resources_clock(mock: MockServer, client: OpenAI) -> None:
    kept = client.responses.create(model=MODEL, input="hi")
    mock.clock.advance("29d")
    assert client.responses.retrieve(kept.id).id == kept.id
    mock.clock.advance("1d")
    with pytest.raises(NotFoundError):
        client.responses.retrieve(kept.id)


def test_retrieving_shows_optional_members_only_when_asked(mock: MockServer, client: OpenAI) -> None:
    search = {"type": "file_search_call", "results": [{"file_id": "f", "filename": "a.txt", "score": 0.5, "text": "t"}]}
    mock.when().respond(items=[search], text="x")
    kept = client.responses.create(model="gpt-5-nano", input="hi")
    bare = client.responses.retrieve(kept.id)
    told = client.responses.retrieve(kept.id, include=["file_search_call.results", "reasoning.encrypted_content"])
    for shown, results in ((bare, 0), (told, 1)):
        reasoning, files = shown.output[:2]
        assert reasoning.type == "reasoning"
        assert files.type == "file_search_call"
        assert len(files.results or ()) == results
        assert bool(reasoning.encrypted_content) is bool(results)


def test_input_items_come_newest_first_with_ids_and_parts(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    sent: list[Any] = [{"role": "user", "content": f"Item {at}"} for at in range(1, 5)]
    kept = client.responses.create(model=MODEL, input=sent)
    page = call(http, mock, "GET", f"/{kept.id}/input_items", params={"limit": 2}).json()
    assert list(page) == ["object", "data", "first_id", "has_more", "last_id"]
    assert [item["content"] for item in page["data"]] == [[{"type": "input_text", "text": f"Item {at}"}] for at in (4, 3)]
    assert list(page["data"][0]) == ["id", "type", "status", "content", "role"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (page["data"][0]["id"], page["data"][1]["id"], True)
    every = list(client.responses.input_items.list(kept.id, limit=1, order="asc"))
    assert [item.to_dict()["content"] for item in every] == [
        [{"type": "input_text", "text": f"Item {at}"}] for at in range(1, 5)
    ]


def test_a_string_is_listed_as_one_user_message(client: OpenAI) -> None:
    kept = client.responses.create(model=MODEL, input="hello")
    (item,) = client.responses.input_items.list(kept.id).data
    assert item.type == "message"
    assert (item.role, item.status, item.content[0].type) == ("user", "completed", "input_text")


def test_image_urls_are_listed_only_when_asked_for(http: httpx2.Client, mock: MockServer) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    kept = call(http, mock, "POST", "", json={"model": MODEL, "input": [{"role": "user", "content": [image]}]}).json()
    path = f"/{kept['id']}/input_items"
    assert "iVBOR" not in call(http, mock, "GET", path).text
    assert "iVBOR" in call(http, mock, "GET", path, params={"include[]": "message.input_image.image_url"}).text


ITEMS: list[dict[str, Any]] = [
    {"role": "user", "content": "easy"},
    {"role": "assistant", "content": "easy too"},
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "parts"}]},
    {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "extra": 1,
     "content": [{"type": "output_text", "text": "echo", "annotations": None, "logprobs": None}]},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAA"},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}", "namespace": None},
    {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "part"}]},
    {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": "y"},
    {"type": "computer_call", "call_id": "c3", "action": {"type": "screenshot"}, "pending_safety_checks": []},
    {"type": "computer_call_output", "call_id": "c3", "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="}},
    {"type": "file_search_call", "queries": ["q"]},
    {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
    {"type": "code_interpreter_call", "container_id": "cntr_1", "code": None, "outputs": None},
    {"type": "image_generation_call", "id": "ig_1", "result": None},
    {"type": "local_shell_call", "call_id": "c4", "action": {"type": "exec", "command": ["ls"], "env": {}}},
    {"type": "local_shell_call_output", "id": "c4", "output": "a.txt"},
    {"type": "shell_call", "call_id": "c5", "action": {"commands": ["ls"]}},
    {"type": "shell_call_output", "call_id": "c5", "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "timeout"}}]},
    {"type": "apply_patch_call", "call_id": "c6", "operation": {"type": "delete_file", "path": "a"}},
    {"type": "apply_patch_call_output", "call_id": "c6", "status": "failed"},
    {"type": "mcp_list_tools", "server_label": "s", "tools": []},
    {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"},
    {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
    {"type": "mcp_call", "server_label": "s", "name": "n", "arguments": "{}", "output": "done", "error": None},
    {"type": "compaction", "encrypted_content": "gAAAAA"},
    {"type": "tool_search_call", "arguments": {}},
    {"type": "tool_search_output", "tools": []},
    {"role": "user", "content": [{"type": "input_text", "text": "now"}, {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,YQ=="}]},
]  # fmt: skip


def test_every_type_of_item_is_taken_and_listed_with_an_id(http: httpx2.Client, mock: MockServer) -> None:
    mock.resource.allowed = frozenset(["encrypted_content"])
    kept = call(http, mock, "POST", "", json={"model": MODEL, "input": ITEMS})
    assert kept.status_code == 200, kept.text
    page = call(http, mock, "GET", f"/{kept.json()['id']}/input_items", params={"order": "asc", "limit": 100}).json()
    assert [item["type"] for item in page["data"]] == [item.get("type", "message") for item in ITEMS]
    assert len({item["id"] for item in page["data"]}) == len(ITEMS)
    assert page["data"][3]["id"] == "msg_1"


def test_a_chain_is_the_conversation_but_not_its_instructions(mock: MockServer, client: OpenAI) -> None:
    mock.when(system="pirate").respond("Arr!")
    mock.when(turn=2, previous=True, system={"not": "pirate"}).respond("Second.")
    mock.when(turn=3).respond("Third.")
    first = client.responses.create(model=MODEL, input="one", instructions="You are a pirate.")
    second = client.responses.create(model=MODEL, input="two", previous_response_id=first.id)
    third = client.responses.create(model=MODEL, input="three", previous_response_id=second.id)
    assert [first.output_text, second.output_text, third.output_text] == ["Arr!", "Second.", "Third."]
    assert (third.previous_response_id, third.instructions) == (second.id, None)
    assert first.usage is not None
    assert third.usage is not None
    assert third.usage.input_tokens > first.usage.input_tokens
    assert len(client.responses.input_items.list(third.id).data) == 1


def test_a_chain_with_a_missing_link_is_refused(client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="one")
    second = client.responses.create(model=MODEL, input="two", previous_response_id=first.id)
    client.responses.delete(first.id)
    with pytest.raises(BadRequestError) as caught:
        client.responses.create(model=MODEL, input="three", previous_response_id=second.id)
    assert_azure_error(caught.value, 400, code="previous_response_not_found", param="previous_response_id")
    unstored = client.responses.create(model=MODEL, input="one", store=False)
    with pytest.raises(BadRequestError, match=unstored.id):
        client.responses.create(model=MODEL, input="two", previous_response_id=unstored.id)


def test_a_chained_call_must_be_answered(mock: MockServer, client: OpenAI) -> None:
    mock.when(turn=1).respond(tool_calls=[{"name": "f", "arguments": {}}])
    first = client.responses.create(model=MODEL, input="one", tools=[{"type": "function", "name": "f", "parameters": None}])  # type: ignore[list-item]
    assert first.output[0].type == "function_call"
    call_id = first.output[0].call_id
    with pytest.raises(BadRequestError, match=f"No tool output found for function call {call_id}."):
        client.responses.create(model=MODEL, input="never mind", previous_response_id=first.id)
    resent: Any = [first.output[0].model_dump(), {"type": "function_call_output", "call_id": call_id, "output": "ok"}]
    mock.when(tool_result="f").respond("Fine.")
    assert client.responses.create(model=MODEL, input=resent, previous_response_id=first.id).output_text == "Fine."


def test_a_reference_brings_the_stored_item(mock: MockServer, client: OpenAI) -> None:
    mock.when(user="secret").respond("The secret is 42.")
    first = client.responses.create(model=MODEL, input="secret")
    message = first.output[0]
    assert message.type == "message"
    reference: Any = [{"type": "item_reference", "id": message.id}, {"role": "user", "content": "again"}]
    second = client.responses.create(model=MODEL, input=reference)
    listed = client.responses.input_items.list(second.id, order="asc").data[0]
    assert listed.type == "message"
    assert listed.id == message.id
    assert "The secret is 42." in listed.to_json()


def test_items_of_unstored_responses_cannot_be_referred_to(client: OpenAI) -> None:
    lost = client.responses.create(model="gpt-5-nano", input="hi", store=False, include=["reasoning.encrypted_content"])
    reasoning, message = lost.output
    assert reasoning.type == "reasoning"
    assert message.type == "message"
    bare = reasoning.model_dump(exclude={"encrypted_content"})
    echoed: Any = [{"role": "user", "content": "hi"}, bare, message.model_dump()]
    with pytest.raises(BadRequestError, match=f"Item with id '{reasoning.id}' not found. Items are not persisted"):
        client.responses.create(model="gpt-5-nano", input=[*echoed, {"role": "user", "content": "go on"}])
    sealed: Any = [echoed[0], reasoning.model_dump(), echoed[2], {"role": "user", "content": "go on"}]
    assert client.responses.create(model="gpt-5-nano", input=sealed).status == "completed"


def test_background_work_is_queued_and_done_at_the_first_look(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("Done.")
    queued = call(http, mock, "POST", "", json={"model": MODEL, "input": "hi", "background": True}).json()
    assert (queued["status"], queued["background"], queued["output"], queued["usage"]) == ("queued", True, [], None)
    assert (queued["content_filters"], queued["service_tier"], queued["completed_at"]) == (None, "auto", None)
    done = client.responses.retrieve(queued["id"])
    assert (done.status, done.output_text) == ("completed", "Done.")


def test_background_work_can_take_looks_or_time(mock: MockServer, client: OpenAI) -> None:
    setattr(mock.resource, "lifecycles", Lifecycles(Lifecycle(polls=2)))  # noqa: B010
    work = client.responses.create(model=MODEL, input="hi", background=True)
    assert [client.responses.retrieve(work.id).status for _ in range(4)] == ["queued", "in_progress", "completed", "completed"]
    setattr(mock.resource, "lifecycles", Lifecycles(Lifecycle(seconds=60)))  # noqa: B010
    work = client.responses.create(model=MODEL, input="hi", background=True)
    seen = []
    for _ in range(3):
        seen.append(client.responses.retrieve(work.id).status)
        mock.clock.advance("30s")
    assert seen == ["queued", "in_progress", "completed"]


def test_background_work_can_be_cancelled_until_it_ends(client: OpenAI) -> None:
    work = client.responses.create(model=MODEL, input="hi", background=True)
    cancelled = client.responses.cancel(work.id)
    assert (cancelled.status, cancelled.output, cancelled.usage, cancelled.error) == ("cancelled", [], None, None)
    assert client.responses.cancel(work.id).to_dict() == cancelled.to_dict() == client.responses.retrieve(work.id).to_dict()
    done = client.responses.create(model=MODEL, input="hi", background=True)
    assert client.responses.retrieve(done.id).status == "completed"
    assert client.responses.cancel(done.id).status == "completed"


def test_only_background_work_can_be_cancelled(client: OpenAI) -> None:
    plain = client.responses.create(model=MODEL, input="hi")
    with pytest.raises(BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(plain.id)


def test_only_streamed_or_background_work_can_be_replayed(client: OpenAI) -> None:
    plain = client.responses.create(model=MODEL, input="hi")
    with pytest.raises(BadRequestError, match="not created with stream=true") as caught:
        client.responses.retrieve(plain.id, stream=True)
    assert_azure_error(caught.value, 400, param="stream")
    work = client.responses.create(model=MODEL, input="hi", background=True)
    assert [event.type for event in client.responses.retrieve(work.id, stream=True)][1] == "response.queued"


def test_a_conversation_lends_its_items_and_gets_the_new_ones(mock: MockServer, client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="Conversation with id 'conv_1' not found"):
        client.responses.create(model=MODEL, input="hi", conversation="conv_1")
    mock.resource.store.put("conversation", "conv_1", {"id": "conv_1"})
    mock.when(turn=1).respond("First.")
    mock.when(turn=2).respond("Second.")
    client.responses.create(model=MODEL, input="one", conversation="conv_1")
    answer = client.responses.create(model=MODEL, input="two", conversation={"id": "conv_1"})
    client.responses.create(model=MODEL, input="three", conversation="conv_1", store=False)
    assert answer.output_text == "Second."
    assert answer.conversation is not None
    assert answer.conversation.id == "conv_1"
    kept = mock.resource.store.documents("conversation.item", ("conversation", "conv_1"))
    assert [item["role"] for item in kept] == ["user", "assistant", "user", "assistant"]


def test_a_failed_stream_is_stored_as_failed(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(content_filter="jailbreak")
    told = call(http, mock, "POST", "", json={"model": MODEL, "input": "evil", "stream": True}).text
    response_id = told.partition('"id":"')[2].partition('"')[0]
    assert client.responses.retrieve(response_id).status == "failed"


@pytest.mark.parametrize(
    ("query", "param"),
    [("stream=maybe", "stream"), ("starting_after=x", "starting_after"), ("include[]=nothing", "include[0]")],
)
def test_wrong_queries_are_refused(http: httpx2.Client, mock: MockServer, client: OpenAI, query: str, param: str) -> None:
    kept = client.responses.create(model=MODEL, input="hi")
    answer = call(http, mock, "GET", f"/{kept.id}?{query}")
    assert_azure_error(answer, 400, param=param)


def test_resources_do_not_see_each_others_responses(client: OpenAI, http: httpx2.Client) -> None:
    kept = client.responses.create(model=MODEL, input="hi")
    with MockServer() as other:
        assert call(http, other, "GET", f"/{kept.id}").status_code == 404
