"""Conversations and their items."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.state.work import Lifecycle, Lifecycles

MODEL = "gpt-4.1-nano"
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}


def call(http: httpx2.Client, mock: MockServer, method: str, path: str = "", **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}conversations{path}", headers={"api-key": mock.api_key}, **options)


def user(text: str) -> Any:
    return {"type": "message", "role": "user", "content": text}


def texts(client: OpenAI, conversation_id: str) -> list[str]:
    listed = client.conversations.items.list(conversation_id, order="asc")
    return [item.content[0].text for item in listed if item.type == "message"]  # type: ignore[union-attr]


# -- conversations


def test_a_conversation_is_an_id_a_time_and_metadata(http: httpx2.Client, mock: MockServer) -> None:
    response = call(http, mock, "POST", json={"metadata": {"topic": "test"}, "items": [user("hi")]})
    conversation = response.json()
    assert (response.status_code, list(conversation)) == (200, ["id", "object", "created_at", "metadata"])
    assert conversation == {
        "id": conversation["id"],
        "object": "conversation",
        "created_at": 1_790_000_000,
        "metadata": {"topic": "test"},
    }
    assert response.text.startswith('{\n  "id": "conv_6ab13b80')  # the time is in it
    assert len(conversation["id"]) == len("conv_") + 48
    assert "openai-processing-ms" in response.headers


@pytest.mark.parametrize("body", [{}, {"items": None, "metadata": None}, None])
def test_an_empty_conversation_needs_nothing(http: httpx2.Client, mock: MockServer, body: Any) -> None:
    conversation = call(http, mock, "POST", json=body).json()
    assert conversation["metadata"] == {}
    assert call(http, mock, "GET", f"/{conversation['id']}/items").json()["data"] == []


def test_metadata_is_replaced(client: OpenAI) -> None:
    conversation = client.conversations.create(metadata={"a": "1", "b": "2"})
    updated = client.conversations.update(conversation.id, metadata={"c": "3"})
    assert updated.metadata == {"c": "3"}
    assert client.conversations.retrieve(conversation.id).to_dict() == updated.to_dict()
    assert client.conversations.update(conversation.id, metadata=None).metadata == {}


def test_a_deleted_conversation_is_gone_with_its_items(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    conversation = client.conversations.create(items=[user("hi")])
    (item,) = client.conversations.items.list(conversation.id)
    deleted = call(http, mock, "DELETE", f"/{conversation.id}")
    assert deleted.text == f'{{\n  "id": "{conversation.id}",\n  "object": "conversation.deleted",\n  "deleted": true\n}}'
    message = f"Conversation with id '{conversation.id}' not found."
    tries = [("GET", "", None), ("POST", "", {"metadata": {}}), ("DELETE", "", None), ("GET", "/items", None)]
    tries += [("POST", "/items", {"items": []}), ("GET", f"/items/{item.id}", None), ("DELETE", f"/items/{item.id}", None)]
    for method, path, body in tries:
        answer = call(http, mock, method, f"/{conversation.id}{path}", json=body)
        assert_azure_error(answer, 404, message=message, type="invalid_request_error", param=None, code=None)


# -- items


def test_items_are_kept_in_their_one_form(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    conversation = client.conversations.create()
    sent = {"items": [{"role": "user", "content": "one"}, user("two")]}
    created = call(http, mock, "POST", f"/{conversation.id}/items", json=sent).json()
    assert list(created) == ["object", "data", "first_id", "has_more", "last_id"]
    assert [list(item) for item in created["data"]] == [["id", "type", "status", "content", "role"]] * 2
    assert [item["content"] for item in created["data"]] == [[{"type": "input_text", "text": text}] for text in ("one", "two")]
    assert (created["first_id"], created["last_id"]) == (created["data"][0]["id"], created["data"][1]["id"])
    assert not created["has_more"]
    assert {item["id"][-16:] for item in created["data"]} == {conversation.id[-16:]}


def test_items_are_listed_newest_first_by_page(client: OpenAI) -> None:
    conversation = client.conversations.create(items=[user(f"{at}") for at in range(5)])
    first = client.conversations.items.list(conversation.id, limit=2)
    assert [item.content[0].text for item in first.data] == ["4", "3"]  # type: ignore[union-attr]
    assert (first.has_more, first.first_id, first.last_id) == (True, first.data[0].id, first.data[1].id)
    assert [item.content[0].text for item in first] == ["4", "3", "2", "1", "0"]  # type: ignore[union-attr]
    assert texts(client, conversation.id) == ["0", "1", "2", "3", "4"]


def test_an_item_is_retrieved_and_deleted_by_its_id(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    conversation = client.conversations.create(items=[user("stays"), user("goes")])
    goes, _ = client.conversations.items.list(conversation.id)
    assert goes.id is not None
    assert client.conversations.items.retrieve(goes.id, conversation_id=conversation.id).to_dict() == goes.to_dict()
    assert client.conversations.items.delete(goes.id, conversation_id=conversation.id).to_dict() == conversation.to_dict()
    assert texts(client, conversation.id) == ["stays"]
    for method in ("GET", "DELETE"):
        answer = call(http, mock, method, f"/{conversation.id}/items/{goes.id}")
        assert_azure_error(answer, 404, message=f"Item with id '{goes.id}' not found in conversation '{conversation.id}'.")


def test_an_item_belongs_to_one_conversation(client: OpenAI) -> None:
    mine, other = client.conversations.create(items=[user("hi")]), client.conversations.create()
    (item,) = client.conversations.items.list(mine.id)
    assert item.id is not None
    with pytest.raises(NotFoundError):
        client.conversations.items.retrieve(item.id, conversation_id=other.id)
    client.conversations.items.create(other.id, items=[{"type": "item_reference", "id": item.id}])
    copy = client.conversations.items.retrieve(item.id, conversation_id=other.id)
    assert copy.to_dict() == item.to_dict()
    client.conversations.items.delete(item.id, conversation_id=mine.id)
    assert texts(client, other.id) == ["hi"]


def test_what_include_does_not_name_is_left_out(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    found = [{"file_id": "f", "filename": "a.txt", "score": 0.5, "text": "t", "attributes": {}}]
    search: Any = {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "results": found}
    conversation = client.conversations.create(items=[{"role": "user", "content": [IMAGE]}, search])  # type: ignore[list-item]
    include = {"include[]": ["message.input_image.image_url", "file_search_call.results"]}
    paths = [f"/{conversation.id}/items", f"/{conversation.id}/items/fs_1"]
    for path in paths:
        assert '"score"' not in call(http, mock, "GET", path).text
        assert '"score"' in call(http, mock, "GET", path, params=include).text
    assert "AAAA" not in call(http, mock, "GET", paths[0]).text
    assert "AAAA" in call(http, mock, "GET", paths[0], params=include).text
    created = call(http, mock, "POST", paths[0], params=include, json={"items": [{**search, "id": "fs_2"}]})
    assert created.json()["data"][0]["results"] == found
    refused = call(http, mock, "GET", paths[0], params={"include[]": "everything"})
    assert_azure_error(refused, 400, param="include[0]", code="invalid_value")


OPTIONAL: list[tuple[Any, str, str]] = [
    (
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": "data:screen"}},
        "computer_call_output.output.image_url",
        "data:screen",
    ),
    (
        {"type": "code_interpreter_call", "container_id": "cntr_1", "code": "1", "outputs": [{"type": "logs", "logs": "one"}]},
        "code_interpreter_call.outputs",
        "one",
    ),
    (
        {
            "type": "web_search_call",
            "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "http://x"}]},
        },
        "web_search_call.action.sources",
        "http://x",
    ),
    (
        {"type": "web_search_call", "action": {"type": "search", "query": "q"}, "results": ["hit"]},
        "web_search_call.results",
        "hit",
    ),
    (
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hi", "logprobs": [{"token": "Hi", "logprob": -0.25, "bytes": []}]}],
        },
        "message.output_text.logprobs",
        "-0.25",
    ),
    ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}, "reasoning.encrypted_content", "gAAAAA"),
]


@pytest.mark.parametrize(("item", "include", "member"), OPTIONAL, ids=lambda one: one if isinstance(one, str) else "")
def test_every_optional_member_has_its_word_in_include(
    http: httpx2.Client, mock: MockServer, item: Any, include: str, member: str
) -> None:
    conversation = call(http, mock, "POST", json={}).json()["id"]
    path = f"/{conversation}/items"
    created = call(http, mock, "POST", path, json={"items": [item]})
    assert (created.status_code, member in created.text) == (200, False)
    for one in (path, f"{path}/{created.json()['first_id']}"):
        assert member not in call(http, mock, "GET", one).text
        assert member in call(http, mock, "GET", one, params={"include[]": include}).text


def test_the_encrypted_thoughts_that_a_caller_brings_are_kept(client: OpenAI) -> None:
    thoughts: Any = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAmine"}
    conversation = client.conversations.create(items=[thoughts])
    item = client.conversations.items.retrieve("rs_1", conversation_id=conversation.id, include=["reasoning.encrypted_content"])
    assert item.to_dict()["encrypted_content"] == "gAAAAmine"


def test_of_an_item_that_comes_again_the_first_copy_stays(client: OpenAI) -> None:
    first: Any = {**user("first"), "id": "msg_1"}
    conversation = client.conversations.create(items=[first])
    client.conversations.items.create(conversation.id, items=[{**first, "content": "again"}, user("new")])
    assert texts(client, conversation.id) == ["first", "new"]


WRONG: list[tuple[str, Any, str, str]] = [
    ("", {"items": [user("x")] * 21}, "items", "array_above_max_length"),
    ("", {"items": "x"}, "items", "invalid_type"),
    ("", {"metadata": {f"{at}": "x" for at in range(17)}}, "metadata", "object_above_max_properties"),
    ("", {"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
    ("", {"title": "x"}, "title", "unknown_parameter"),
    ("", {"items": [{"type": "nothing"}]}, "items[0]", "invalid_value"),
    ("", {"items": [user("x"), {"role": "user"}]}, "items[1].content", "missing_required_parameter"),
    ("", {"items": [{"type": "function_call", "name": "f"}]}, "items[0].call_id", "missing_required_parameter"),
    ("/{id}", {}, "metadata", "missing_required_parameter"),
    ("/{id}", {"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
    ("/{id}/items", {}, "items", "missing_required_parameter"),
    ("/{id}/items", {"items": [user("x")] * 21}, "items", "array_above_max_length"),
    ("/{id}/items", {"items": [{"role": "user", "content": [{"type": "x"}]}]}, "items[0].content[0].type", "invalid_value"),
]


@pytest.mark.parametrize(("path", "body", "param", "code"), WRONG)
def test_wrong_bodies_are_refused(http: httpx2.Client, mock: MockServer, path: str, body: Any, param: str, code: str) -> None:
    conversation = call(http, mock, "POST", json={}).json()["id"]
    refused = call(http, mock, "POST", path.format(id=conversation), json=body)
    assert_azure_error(refused, 400, type="invalid_request_error", param=param, code=code)
    assert call(http, mock, "GET", f"/{conversation}/items").json()["data"] == []


def test_a_full_store_takes_all_items_or_none(http: httpx2.Client) -> None:
    with MockServer(store_documents=2) as mock:
        conversation = call(http, mock, "POST", json={}).json()["id"]
        assert call(http, mock, "POST", f"/{conversation}/items", json={"items": [user("x")] * 3}).status_code == 200
        assert call(http, mock, "POST", f"/{conversation}/items", json={"items": [user("x")]}).status_code == 507
        assert call(http, mock, "POST", json={"items": [user("x")]}).status_code == 507
        assert len(call(http, mock, "GET", f"/{conversation}/items").json()["data"]) == 3


# -- with responses


def test_a_response_reads_a_conversation_and_adds_to_it(mock: MockServer, client: OpenAI) -> None:
    mock.when(system="pirate").respond("Arr!")
    conversation = client.conversations.create(items=[{"role": "developer", "content": "You are a pirate."}, user("Ahoy")])
    answer = client.responses.create(model=MODEL, input="Who are you?", conversation=conversation.id)
    assert answer.output_text == "Arr!"
    assert answer.conversation is not None
    assert answer.conversation.id == conversation.id
    assert texts(client, conversation.id) == ["You are a pirate.", "Ahoy", "Who are you?", "Arr!"]
    listed = client.conversations.items.list(conversation.id, limit=1).data[0]
    assert listed.id == answer.output[0].id
    assert client.responses.retrieve(answer.id).conversation == answer.conversation


def test_a_stream_adds_to_its_conversation_too(mock: MockServer, client: OpenAI) -> None:
    mock.when(user="one").respond("First.")
    mock.when(user="two", turn=2).respond("Second.")
    conversation = client.conversations.create()
    for text in ("one", "two"):
        with client.responses.stream(model=MODEL, input=text, conversation=conversation.id) as stream:
            final = stream.get_final_response()
        assert final.conversation is not None
        assert final.conversation.id == conversation.id
    assert texts(client, conversation.id) == ["one", "First.", "two", "Second."]


def test_background_work_adds_when_it_is_completed(mock: MockServer, client: OpenAI) -> None:
    setattr(mock.resource, "lifecycles", Lifecycles(Lifecycle(seconds=60)))  # noqa: B010
    mock.when().respond("Done.")
    conversation = client.conversations.create()
    client.responses.create(model=MODEL, input="work", conversation=conversation.id, background=True)
    assert texts(client, conversation.id) == []
    mock.clock.advance("59s")
    assert texts(client, conversation.id) == []
    mock.clock.advance("1s")
    assert texts(client, conversation.id) == ["work", "Done."]


def test_retrieving_a_conversation_is_a_poll_of_its_background_work(client: OpenAI) -> None:
    conversation = client.conversations.create()
    client.responses.create(model=MODEL, input="work", conversation=conversation.id, background=True)
    client.conversations.retrieve(conversation.id)
    assert len(texts(client, conversation.id)) == 2


def test_what_was_cancelled_or_has_failed_is_not_added(mock: MockServer, client: OpenAI) -> None:
    conversation = client.conversations.create()
    work = client.responses.create(model=MODEL, input="work", conversation=conversation.id, background=True)
    client.responses.cancel(work.id)
    mock.when(user="evil").respond(content_filter="jailbreak")
    with pytest.raises(BadRequestError):
        client.responses.create(model=MODEL, input="evil", conversation=conversation.id)
    stream = client.responses.create(model=MODEL, input="evil", conversation=conversation.id, stream=True)
    with pytest.raises(Exception, match="filtered"):
        list(stream)
    assert texts(client, conversation.id) == []


def test_a_response_that_is_not_stored_leaves_its_conversation_as_it_is(client: OpenAI) -> None:
    conversation = client.conversations.create(items=[user("hi")])
    answer = client.responses.create(model=MODEL, input="again", conversation=conversation.id, store=False)
    assert answer.conversation is not None
    assert answer.conversation.id == conversation.id
    assert texts(client, conversation.id) == ["hi"]


def test_a_deleted_item_is_no_context_any_more(mock: MockServer, client: OpenAI) -> None:
    mock.when(system="pirate").respond("Arr!")
    mock.when().respond("Good day.")
    conversation = client.conversations.create(items=[{"role": "developer", "content": "You are a pirate."}])
    (rule,) = client.conversations.items.list(conversation.id)
    assert rule.id is not None
    client.conversations.items.delete(rule.id, conversation_id=conversation.id)
    assert client.responses.create(model=MODEL, input="hi", conversation=conversation.id).output_text == "Good day."


def test_deleting_a_conversation_keeps_its_responses_and_the_other_way_round(client: OpenAI) -> None:
    conversation = client.conversations.create()
    first = client.responses.create(model=MODEL, input="one", conversation=conversation.id)
    second = client.responses.create(model=MODEL, input="two", conversation=conversation.id)
    client.responses.delete(first.id)
    assert len(texts(client, conversation.id)) == 4
    client.conversations.delete(conversation.id)
    assert client.responses.retrieve(second.id).to_dict() == second.to_dict()
    with pytest.raises(NotFoundError, match=f"Conversation with id '{conversation.id}' not found"):
        client.responses.create(model=MODEL, input="three", conversation=conversation.id)


def test_a_conversation_outlives_the_responses_in_it(mock: MockServer, client: OpenAI) -> None:
    conversation = client.conversations.create()
    response = client.responses.create(model=MODEL, input="one", conversation=conversation.id)
    mock.clock.advance("31d")
    with pytest.raises(NotFoundError):
        client.responses.retrieve(response.id)
    assert len(texts(client, conversation.id)) == 2
    reference: Any = [{"type": "item_reference", "id": response.output[0].id}, user("again")]
    assert client.responses.create(model=MODEL, input=reference).status == "completed"


def test_background_work_survives_the_end_of_its_conversation(client: OpenAI) -> None:
    conversation = client.conversations.create()
    work = client.responses.create(model=MODEL, input="work", conversation=conversation.id, background=True)
    client.conversations.delete(conversation.id)
    assert client.responses.retrieve(work.id).status == "completed"


def test_a_response_has_one_past(client: OpenAI) -> None:
    conversation = client.conversations.create()
    first = client.responses.create(model=MODEL, input="one", conversation=conversation.id)
    with pytest.raises(BadRequestError) as caught:
        client.responses.create(model=MODEL, input="x", conversation=conversation.id, previous_response_id=first.id)
    assert_azure_error(caught.value, 400, code="mutually_exclusive_parameters", param=None)


def test_a_conversation_of_tool_calls_goes_on(mock: MockServer, client: OpenAI) -> None:
    mock.when(tool_result="f").respond("Sunny.")
    mock.when().respond(tool_calls=[{"name": "f", "arguments": {}}])
    conversation, tools = client.conversations.create(), [{"type": "function", "name": "f", "parameters": None}]
    asked = client.responses.create(model=MODEL, input="Weather?", conversation=conversation.id, tools=tools)  # type: ignore[arg-type]
    assert asked.output[0].type == "function_call"
    result: Any = [{"type": "function_call_output", "call_id": asked.output[0].call_id, "output": "sunny"}]
    answer = client.responses.create(model=MODEL, input=result, conversation=conversation.id)
    assert answer.output_text == "Sunny."
    kinds = [item.type for item in client.conversations.items.list(conversation.id, order="asc")]
    assert kinds == ["message", "function_call", "function_call_output", "message"]


@pytest.mark.anyio
async def test_everything_works_asynchronously(async_client: AsyncOpenAI) -> None:
    conversation = await async_client.conversations.create(items=[user(f"{at}") for at in range(3)])
    await async_client.responses.create(model=MODEL, input="hi", conversation=conversation.id)
    listed = [item async for item in async_client.conversations.items.list(conversation.id, limit=2)]
    assert len(listed) == 5
    assert (await async_client.conversations.delete(conversation.id)).deleted
