"""What callers see of a resource's memory: nothing is lost, everything comes in its time, ids are new."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import InternalServerError, NotFoundError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.app import application
from mockserver.resource.resource import Resource
from mockserver.resource.resources import Resources
from mockserver.state import memory
from mockserver.state.memory import MemoryStore
from mockserver.state.work import Lifecycle, Lifecycles
from mockserver.testing.transport import client as in_process

MODEL = "gpt-4.1-nano"
CONVERSATION = ("conversation", "conv_1")


def sdk(mock: MockServer, http: httpx2.Client, **options: Any) -> OpenAI:
    return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, **{"max_retries": 0} | options)


def roles(mock: MockServer) -> list[str]:
    return [item["role"] for item in mock.resource.store.documents("conversation.item", CONVERSATION)]


# -- nothing is forgotten


def test_the_ten_thousand_and_first_object_pushes_out_none(mock: MockServer, client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="hi")
    for at in range(10_000):
        mock.resource.store.put("response", f"resp_{at}", {})
    last = client.responses.create(model=MODEL, input="hi")
    assert client.responses.retrieve(first.id).id == first.id
    assert client.responses.retrieve(last.id).id == last.id


def test_a_full_state_refuses_and_names_the_setting(http: httpx2.Client) -> None:
    with MockServer(store_documents=2) as mock:
        client = sdk(mock, http, max_retries=2)
        kept = client.responses.create(model=MODEL, input="hi")
        with pytest.raises(InternalServerError, match="raise the setting `store_documents`") as caught:
            client.responses.create(model=MODEL, input="hi")
        assert_azure_error(caught.value, 507, code="store_full")
        assert len(mock.requests) == 2, "trying again does not help, so the SDK does not"
        assert client.responses.create(model=MODEL, input="hi", store=False).status == "completed"
        client.responses.delete(kept.id)
        assert client.responses.create(model=MODEL, input="hi", background=True).status == "queued"


def test_completions_are_paged_among_many(mock: MockServer, plain: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(10_000):
        mock.resource.store.put("chat.completion", f"chatcmpl-{at}", {"id": f"chatcmpl-{at}", "metadata": {}})
    loads, decode = [], memory.decode
    monkeypatch.setattr(memory, "decode", lambda body: loads.append(body) or decode(body))
    page = plain.chat.completions.list(after="chatcmpl-5000", limit=20)
    assert [one.id for one in page.data] == [f"chatcmpl-{at}" for at in range(4_999, 4_979, -1)]
    assert len(loads) == 21


def test_an_item_is_found_among_many(mock: MockServer, client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.responses.create(model=MODEL, input="one")
    for _ in range(50):
        client.responses.create(model=MODEL, input="more")
    loads, decode = [], memory.decode
    monkeypatch.setattr(memory, "decode", lambda body: loads.append(body) or decode(body))
    reference: Any = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "again"}]
    client.responses.create(model=MODEL, input=reference)
    assert len(loads) == 1


def test_a_chain_reads_the_items_of_its_links_and_no_more(
    mock: MockServer, client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = client.responses.create(model=MODEL, input="one", instructions="Do not read me.")
    for _ in range(3):
        last = client.responses.create(model=MODEL, input="on", instructions="Do not read me.", previous_response_id=last.id)
    loads, decode = [], memory.decode
    monkeypatch.setattr(memory, "decode", lambda body: loads.append(body) or decode(body))
    client.responses.create(model=MODEL, input="two", previous_response_id=last.id)
    assert len(loads) == 4
    assert not any(b"Do not read me." in body for body in loads)


def test_an_item_that_a_caller_resends_is_still_found_when_its_response_is_gone(client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="one")
    again: Any = [{"role": "user", "content": "one"}, first.output[0].to_dict(), {"role": "user", "content": "two"}]
    client.responses.create(model=MODEL, input=again)
    client.responses.delete(first.id)
    reference: Any = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "again"}]
    assert client.responses.create(model=MODEL, input=reference).status == "completed"


def test_what_hangs_below_a_completion_goes_with_it(mock: MockServer, plain: OpenAI) -> None:
    kept = plain.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hi"}], store=True)
    assert mock.resource.store.count("chat.completion.message", ("chat.completion", kept.id)) == 1
    plain.chat.completions.delete(kept.id)
    assert mock.resource.store.count("chat.completion.message", ("chat.completion", kept.id)) == 0


# -- everything in its time


@pytest.fixture
def conversing(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> MockServer:
    """A server with a conversation, whose background work takes ten seconds."""
    monkeypatch.setattr(mock.resource, "lifecycles", Lifecycles(Lifecycle(seconds=10)))
    mock.resource.store.put(*CONVERSATION, {"id": CONVERSATION[1]})
    return mock


def test_a_conversation_gets_its_items_in_time_though_nobody_polls(conversing: MockServer, client: OpenAI) -> None:
    client.responses.create(model=MODEL, input="one", conversation="conv_1", background=True)
    conversing.clock.advance(9)
    client.models.retrieve(MODEL)
    assert roles(conversing) == []
    conversing.clock.advance(1)
    client.models.retrieve(MODEL)
    assert roles(conversing) == ["user", "assistant"]


def test_responses_enter_a_conversation_in_the_order_in_which_they_are_done(conversing: MockServer, client: OpenAI) -> None:
    conversing.when(user="slow").respond("Slow.")
    conversing.when(user="quick").respond("Quick.")
    client.responses.create(model=MODEL, input="slow", conversation="conv_1", background=True)
    conversing.clock.advance(5)
    client.responses.create(model=MODEL, input="quick", conversation="conv_1", background=True)
    conversing.clock.advance("1h")
    client.models.retrieve(MODEL)
    items = conversing.resource.store.documents("conversation.item", CONVERSATION)
    assert [item["content"][0]["text"] for item in items] == ["slow", "Slow.", "quick", "Quick."]


def test_the_next_turn_of_a_conversation_is_a_poll_of_the_last(mock: MockServer, client: OpenAI) -> None:
    mock.resource.store.put(*CONVERSATION, {"id": CONVERSATION[1]})
    mock.when(turn=1).respond("First.")
    mock.when(turn=2).respond("Second.")
    work = client.responses.create(model=MODEL, input="one", conversation="conv_1", background=True)
    assert client.responses.create(model=MODEL, input="two", conversation="conv_1").output_text == "Second."
    assert client.responses.retrieve(work.id).output_text == "First."
    assert roles(mock) == ["user", "assistant"] * 2


@pytest.mark.parametrize("end", ["cancel", "delete"])
def test_work_that_is_cancelled_or_deleted_adds_nothing(conversing: MockServer, client: OpenAI, end: str) -> None:
    work = client.responses.create(model=MODEL, input="one", conversation="conv_1", background=True)
    getattr(client.responses, end)(work.id)
    conversing.clock.advance("1h")
    client.models.retrieve(MODEL)
    assert roles(conversing) == []


def test_work_may_end_after_its_conversation(conversing: MockServer, client: OpenAI) -> None:
    work = client.responses.create(model=MODEL, input="one", conversation="conv_1", background=True)
    conversing.resource.store.delete(*CONVERSATION)
    conversing.clock.advance(10)
    assert client.responses.retrieve(work.id).status == "completed"


def test_an_item_that_a_conversation_has_is_not_added_again(mock: MockServer, client: OpenAI) -> None:
    mock.resource.store.put(*CONVERSATION, {"id": CONVERSATION[1]})
    first = client.responses.create(model=MODEL, input="one", conversation="conv_1")
    resent: Any = [first.output[0].to_dict(), {"role": "user", "content": "two"}]
    client.responses.create(model=MODEL, input=resent, conversation="conv_1")
    assert roles(mock) == ["user", "assistant"] * 2


def test_all_responses_expire_whichever_is_asked_for(mock: MockServer, client: OpenAI) -> None:
    for _ in range(3):
        client.responses.create(model=MODEL, input="hi")
    mock.clock.advance("15d")
    late = client.responses.create(model=MODEL, input="hi")
    mock.clock.advance("15d")
    assert client.responses.retrieve(late.id).id == late.id
    assert mock.resource.store.count("response") == 1
    mock.clock.advance("15d")
    with pytest.raises(NotFoundError):
        client.responses.retrieve(late.id)


def test_a_scenario_gives_kinds_of_work_their_lifecycles(http: httpx2.Client) -> None:
    lifecycle = {"seconds": "30s", "response": {"polls": 1}, "batch": {"seconds": 5}}
    with MockServer({"resource": {"lifecycle": lifecycle}}) as mock:
        assert mock.resource.lifecycles == Lifecycles(
            Lifecycle(seconds=30.0), {"response": Lifecycle(polls=1), "batch": Lifecycle(seconds=5.0)}
        )
        client = sdk(mock, http)
        work = client.responses.create(model=MODEL, input="hi", background=True)
        assert [client.responses.retrieve(work.id).status for _ in range(2)] == ["in_progress", "completed"]


# -- ids


def test_a_state_that_was_opened_again_gives_new_ids_for_the_same_calls() -> None:
    def ids(generation: int) -> list[str]:
        resource = Resource(store=MemoryStore(generation=generation))
        with in_process(application(Resources([resource]), {})) as http:
            client = OpenAI(base_url="http://mock/openai/v1/", api_key="mock-key", http_client=http)
            return [client.responses.create(model=MODEL, input="hi").id for _ in range(2)]

    assert ids(0) == ids(0)
    assert len({*ids(0), *ids(1), *ids(2)}) == 6
