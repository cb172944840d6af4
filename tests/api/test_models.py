"""`/models`."""

from __future__ import annotations

import openai
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer


def test_the_catalogue_is_listed(client: OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert {
        "gpt-4o",
        "gpt-4o-2024-11-20",
        "gpt-4.1-nano",
        "o4-mini",
        "text-embedding-3-small",
        "MAI-DS-R1",
        "grok-3-mini",
    } <= set(models)
    assert all(model.created > 1_600_000_000 and model.owned_by for model in models.values())


def test_a_model_is_retrieved_by_name_snapshot_or_deployment(http: object, mock: MockServer) -> None:
    with MockServer(deployments={"mine": "gpt-4.1"}) as declared:
        client = OpenAI(base_url=declared.base_url, api_key=declared.api_key, max_retries=0)
        assert client.models.retrieve("gpt-4.1").id == "gpt-4.1"
        assert client.models.retrieve("gpt-4.1-2025-04-14").owned_by == client.models.retrieve("mine").owned_by
        client.close()


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError, match="The model 'fake_id' does not exist") as caught:
            call("fake_id")
        assert_azure_error(caught.value, 404, code="model_not_found")


def test_a_catalogue_model_cannot_be_deleted_but_a_trained_one_can(client: OpenAI, mock: MockServer) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("gpt-4o")
    name = "gpt-4o-2024-08-06.ft-0123456789abcdef0123456789abcdef"
    trained = {"id": name, "model": "gpt-4o", "created": 1_790_000_000, "owner": "mockserver"}
    mock.resource.store.put("model", name, trained)
    assert client.models.retrieve(name).to_dict() == {
        "id": name,
        "object": "model",
        "created": 1_790_000_000,
        "owned_by": "mockserver",
    }
    assert name in {model.id for model in client.models.list()}
    assert client.models.delete(name).deleted
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(name)
