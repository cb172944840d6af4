"""Names of deployments: models that are newer than the catalogue, and suffixes that are nearly switches."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer, ScenarioError

MESSAGES: Any = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("deployment", [{"model": "gpt-9", "like": "gpt-5-mini"}, {"like": "gpt-5-mini"}])
def test_a_model_behaves_like_one_of_the_catalogue_under_its_own_name(deployment: dict[str, str]) -> None:
    with MockServer({"deployments": {"gpt-9": deployment}}) as mock:
        answer = mock.client.chat.completions.create(model="gpt-9", messages=MESSAGES)
        assert answer.model == "gpt-9"
        with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
            mock.client.chat.completions.create(model="gpt-9", messages=MESSAGES, max_tokens=5)
        assert mock.client.models.retrieve("gpt-9").id == "gpt-9"


def test_the_model_that_another_is_like_has_to_be_in_the_catalogue() -> None:
    with pytest.raises(ScenarioError, match=r"there is no model 'gpt-5x'.*did you mean 'gpt-5"):
        MockServer({"deployments": {"a": {"model": "gpt-9", "like": "gpt-5x"}}})


def test_a_suffix_that_is_nearly_a_switch_is_refused_with_the_right_one(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4o-mock-throtled", messages=MESSAGES)
    assert_azure_error(caught.value, 404, code="DeploymentNotFound", contains="did you mean 'gpt-4o-mock-throttled'?")


@pytest.mark.parametrize("name", ["gpt-4o-mock-", "gpt-4o-mock-xyz", "my-mock-deployment", "-mock-slow"])
def test_other_names_are_names(mock: MockServer, http: httpx2.Client, name: str) -> None:
    body = {"model": name, "messages": MESSAGES}
    answer = http.post(mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key})
    assert answer.status_code == 200, answer.text


def test_a_deployment_that_is_declared_may_be_called_like_a_mistake() -> None:
    with MockServer({"deployments": {"gpt-4o-mock-slw": {"model": "gpt-4o"}}}) as mock:
        assert mock.client.chat.completions.create(model="gpt-4o-mock-slw", messages=MESSAGES).choices
