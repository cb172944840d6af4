"""Files that responses and chats refer to by id."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

MODEL = "gpt-4o"


def message(*parts: dict[str, Any]) -> Any:
    return {"role": "user", "content": [{"type": "input_text", "text": "Look:"}, *parts]}


def file_part(file_id: str) -> dict[str, Any]:
    return {"type": "input_file", "file_id": file_id}


def image_part(file_id: str) -> dict[str, Any]:
    return {"type": "input_image", "file_id": file_id, "detail": "auto"}


def test_uploaded_files_and_images_can_be_referred_to(client: OpenAI, mock: MockServer) -> None:
    file = client.files.create(file=("a.pdf", b"%PDF"), purpose="assistants")
    mock.when(user="Look").respond("I see.")
    response = client.responses.create(model=MODEL, input=[message(file_part(file.id), image_part(file.id))])
    assert response.output_text == "I see."
    items = client.responses.input_items.list(response.id).data
    assert file.id in items[0].to_json()


def test_an_id_that_is_no_tools_file_is_refused(client: OpenAI, plain: OpenAI) -> None:
    file = plain.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model=MODEL, input=[message(), message(image_part("assistant-gone"), file_part(file.id))])
    path = "input[1].content[2].file_id"
    text = f"Invalid '{path}': '{file.id}'. Expected an ID that begins with 'assistant'."
    assert_azure_error(refusal.value, 400, contains=text, param=path, code="invalid_value")


@pytest.mark.parametrize("part", [file_part, image_part])
def test_unknown_and_deleted_files_are_refused_all_at_once(client: OpenAI, part: Any) -> None:
    deleted, kept = (client.files.create(file=("a.pdf", b"%PDF"), purpose="assistants") for _ in range(2))
    client.files.delete(deleted.id)
    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model=MODEL, input=[message(part("assistant-x"), part(kept.id), part(deleted.id))])
    text = f"Files [assistant-x, {deleted.id}] were not found due to ownership verification failure."
    assert_azure_error(refusal.value, 400, contains=text, param=None, code=None)


def test_what_a_tool_returns_can_be_a_file_too(client: OpenAI) -> None:
    file = client.files.create(file=("a.png", b"\x89PNG"), purpose="assistants")
    call: Any = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}

    def answer(file_id: str) -> Any:
        return {"type": "function_call_output", "call_id": "c1", "output": [image_part(file_id)]}

    assert client.responses.create(model=MODEL, input=[call, answer(file.id)]).status == "completed"
    with pytest.raises(openai.BadRequestError, match="Files \\[assistant-x\\] were not found"):
        client.responses.create(model=MODEL, input=[call, answer("assistant-x")])


def test_a_response_stays_when_its_file_goes(client: OpenAI) -> None:
    file = client.files.create(file=("a.pdf", b"%PDF"), purpose="assistants")
    first = client.responses.create(model=MODEL, input=[message(file_part(file.id))])
    client.files.delete(file.id)
    second = client.responses.create(model=MODEL, input="And?", previous_response_id=first.id)
    assert second.status == "completed"


def test_the_scripts_see_what_is_referred_to(client: OpenAI, mock: MockServer) -> None:
    file = client.files.create(file=("a.pdf", b"%PDF"), purpose="assistants")
    client.responses.create(model=MODEL, input=[message(file_part(file.id))])
    prompt = mock.calls()[-1].prompt
    assert prompt is not None
    assert [media.reference for media in prompt.turns[-1].media] == [file.id]


def test_a_chat_refers_to_files_too_where_they_are_let_through(client: OpenAI, mock: MockServer) -> None:
    mock.resource.allowed = frozenset(["file_parts"])
    file = client.files.create(file=("a.pdf", b"%PDF"), purpose="assistants")

    def ask(*file_ids: str) -> Any:
        parts: Any = [{"type": "file", "file": {"file_id": file_id}} for file_id in file_ids]
        inline: Any = {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
        return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": [*parts, inline]}])

    assert ask(file.id).choices[0].message.content
    for _ in range(2):
        with pytest.raises(openai.BadRequestError) as refusal:
            ask(file.id, "assistant-x")
        assert_azure_error(refusal.value, 400, contains="Files [assistant-x] were not found", param=None, code=None)
