"""Strictness for a single call, by a header that any client can send."""

from __future__ import annotations

import openai
import pytest
from openai import OpenAI

from mockserver import MockServer

STRICT = {"x-mockserver-strict": "true"}


def ask(client: OpenAI, question: str, headers: dict[str, str]) -> str | None:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": question}], extra_headers=headers
    )
    return answer.choices[0].message.content


def test_a_call_that_no_rule_answers_is_refused_with_the_nearest_rules(mock: MockServer, client: OpenAI) -> None:
    mock.when(user="weather").respond("sunny")
    with pytest.raises(openai.APIStatusError, match="weather"):
        ask(client, "whether", STRICT)
    assert ask(client, "weather", STRICT) == "sunny"


@pytest.mark.parametrize("headers", [{}, {"x-mockserver-strict": "false"}, {"x-mockserver-strict": ""}])
def test_other_calls_are_improvised_as_ever(client: OpenAI, headers: dict[str, str]) -> None:
    assert ask(client, "anything", headers)


def test_an_operation_that_no_model_answers_is_never_refused(client: OpenAI) -> None:
    assert client.models.list(extra_headers=STRICT).data


def test_a_deployment_that_decides_by_itself_still_does_so(client: OpenAI) -> None:
    client = client.with_options(max_retries=0, default_headers=STRICT)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="gpt-4o-mock-throttled", messages=[{"role": "user", "content": "hi"}])
