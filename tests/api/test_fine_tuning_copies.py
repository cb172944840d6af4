"""Checkpoints in other resources, and permissions to use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error
from support.training import chats

from mockserver import MockServer

Json = Any
BASE = "gpt-4.1-nano-2025-04-14"
PREVIEW = {"aoai-copy-ft-checkpoints": "preview"}
KEYS = {"contoso": "key of contoso", "fabrikam": "key of fabrikam", "near": "key of near"}
REGIONS = {"contoso": "East US 2", "fabrikam": "Sweden Central", "near": "East US 2"}


def account(name: str) -> str:
    return f"/subscriptions/5ab1/resourceGroups/models/providers/Microsoft.CognitiveServices/accounts/{name}"


def scenarios(**lifecycle: Json) -> list[Json]:
    return [
        {
            "resource": {
                "name": name,
                "region": REGIONS[name],
                "keys": [KEYS[name]],
                "lifecycle": {"fine_tuning.copy": lifecycle},
            }
        }
        for name in KEYS
    ]


@pytest.fixture
def three(http: httpx2.Client) -> Iterator[dict[str, OpenAI]]:
    """Clients of three resources of one server."""
    with MockServer(scenarios(polls=1)) as mock:
        yield clients(mock, http)


def clients(mock: MockServer, http: httpx2.Client) -> dict[str, OpenAI]:
    return {name: OpenAI(base_url=mock.base_url, api_key=key, http_client=http, max_retries=0) for name, key in KEYS.items()}


def trained(client: OpenAI) -> Any:
    file = client.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
    return client.fine_tuning.jobs.retrieve(client.fine_tuning.jobs.create(model=BASE, training_file=file.id).id)


def copy(client: OpenAI, job_id: str, checkpoint: str, to: str = "fabrikam", **changes: Json) -> httpx2.Response:
    body = {"destinationResourceId": account(to), "region": REGIONS.get(to, "West US")} | changes
    path = f"{client.base_url}fine_tuning/jobs/{job_id}/checkpoints/{checkpoint}/copy"
    return httpx_of(client).post(path, json=body, headers=PREVIEW | {"api-key": client.api_key})


def poll(client: OpenAI, job_id: str, checkpoint: str) -> httpx2.Response:
    path = f"{client.base_url}fine_tuning/jobs/{job_id}/checkpoints/{checkpoint}/copy"
    return httpx_of(client).get(path, headers=PREVIEW | {"api-key": client.api_key})


def httpx_of(client: OpenAI) -> Any:
    return client._client


def answer(client: OpenAI, model: str) -> str | None:
    messages: Json = [{"role": "user", "content": "Which letter is eta?"}]
    return client.chat.completions.create(model=model, messages=messages).choices[0].message.content


def statuses(response: httpx2.Response) -> list[tuple[str, str]]:
    assert response.status_code == 200, response.text
    return [(one["destinationResourceId"].rpartition("/")[2], one["status"]) for one in response.json()["copiedAccountDetails"]]


# -- copies


def test_a_copied_checkpoint_can_be_called_in_the_other_resource(three: dict[str, OpenAI]) -> None:
    source, target = three["contoso"], three["fabrikam"]
    job, _ = trained(source), trained(target)
    model = job.fine_tuned_model
    begun = copy(source, job.id, model)
    assert begun.json() == {
        "checkpointedModelName": model,
        "fineTuningJobId": job.id,
        "copiedAccountDetails": [
            {"destinationResourceId": account("fabrikam"), "region": "Sweden Central", "status": "InProgress"}
        ],
    }
    assert model not in {one.id for one in target.models.list()}
    assert statuses(poll(source, job.id, model)) == [("fabrikam", "InProgress")]
    assert statuses(poll(source, job.id, model)) == [("fabrikam", "Completed")]
    assert answer(target, model) == "It is eta."
    assert model in {one.id for one in target.models.list()}
    source.models.delete(model)
    assert answer(target, model) == "It is eta."


def test_a_copy_is_not_among_the_checkpoints_of_the_other_resource(three: dict[str, OpenAI]) -> None:
    source, target = three["contoso"], three["fabrikam"]
    job, own = trained(source), trained(target)
    copy(source, job.id, job.fine_tuned_model)
    for _ in range(2):
        poll(source, job.id, job.fine_tuned_model)
    names = {one.fine_tuned_model_checkpoint for one in target.fine_tuning.jobs.checkpoints.list(own.id)}
    assert job.fine_tuned_model not in names
    with pytest.raises(openai.NotFoundError):
        target.fine_tuning.jobs.checkpoints.list(job.id)


def test_an_earlier_checkpoint_is_copied_by_its_id_and_can_be_trained_further(three: dict[str, OpenAI]) -> None:
    source, target = three["contoso"], three["fabrikam"]
    job, _ = trained(source), trained(target)
    earlier = source.fine_tuning.jobs.checkpoints.list(job.id).data[1]
    begun = copy(source, job.id, earlier.id).json()
    assert begun["checkpointedModelName"] == earlier.fine_tuned_model_checkpoint == f"{job.fine_tuned_model}:ckpt-step-90"
    for _ in range(2):
        poll(source, job.id, earlier.id)
    assert answer(target, begun["checkpointedModelName"]) == "It is eta."
    file = target.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
    again = target.fine_tuning.jobs.create(model=begun["checkpointedModelName"], training_file=file.id)
    assert target.fine_tuning.jobs.retrieve(again.id).status == "succeeded"


def test_a_checkpoint_goes_to_several_resources_and_to_each_once(http: httpx2.Client) -> None:
    with MockServer([*scenarios(), {"resource": {"name": "third", "region": "West US", "keys": ["key of third"]}}]) as mock:
        found = clients(mock, http)
        third = OpenAI(base_url=mock.base_url, api_key="key of third", http_client=http)
        source, job = found["contoso"], trained(found["contoso"])
        for client in (found["fabrikam"], third):
            trained(client)
        for name in ("fabrikam", "third", "fabrikam"):
            last = copy(source, job.id, job.fine_tuned_model, name)
        assert statuses(last) == [("fabrikam", "InProgress"), ("third", "InProgress")]
        assert statuses(poll(source, job.id, job.fine_tuned_model)) == [("fabrikam", "Completed"), ("third", "Completed")]
        assert statuses(copy(source, job.id, job.fine_tuned_model)) == [("fabrikam", "Completed"), ("third", "Completed")]


def test_a_copy_takes_its_time_by_the_clock(http: httpx2.Client) -> None:
    with MockServer(scenarios(seconds=60)) as mock:
        mock.clock.freeze(1_790_000_000)
        found = clients(mock, http)
        source, job = found["contoso"], trained(found["contoso"])
        trained(found["fabrikam"])
        copy(source, job.id, job.fine_tuned_model)
        assert statuses(poll(source, job.id, job.fine_tuned_model)) == [("fabrikam", "InProgress")]
        mock.clock.advance(60)
        source.models.list()  # whatever comes next: what is due is done before it
        assert answer(found["fabrikam"], job.fine_tuned_model) == "It is eta."
        assert statuses(poll(source, job.id, job.fine_tuned_model)) == [("fabrikam", "Completed")]


def test_a_copy_to_a_full_resource_fails_and_can_be_tried_again(http: httpx2.Client) -> None:
    found = scenarios()
    found[1]["resource"]["store_documents"] = 33
    with MockServer(found) as mock:
        both = clients(mock, http)
        source, target, job = both["contoso"], both["fabrikam"], trained(both["contoso"])
        file = target.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
        target.fine_tuning.jobs.create(model=BASE, training_file=file.id)
        kept = []
        while True:
            try:
                kept.append(target.files.create(file=("a.txt", b"x"), purpose="assistants").id)
            except openai.APIStatusError:
                break
        copy(source, job.id, job.fine_tuned_model)
        assert statuses(poll(source, job.id, job.fine_tuned_model)) == [("fabrikam", "Failed")]
        for file_id in kept:
            target.files.delete(file_id)
        assert statuses(copy(source, job.id, job.fine_tuned_model)) == [("fabrikam", "InProgress")]
        assert statuses(poll(source, job.id, job.fine_tuned_model)) == [("fabrikam", "Completed")]


def test_copies_need_the_preview_header(three: dict[str, OpenAI]) -> None:
    source = three["contoso"]
    for send in (httpx_of(source).post, httpx_of(source).get):
        path = f"{source.base_url}fine_tuning/jobs/ftjob-1/checkpoints/ftchkpt-1/copy"
        refused = send(path, headers={"api-key": source.api_key})
        assert_azure_error(refused, 400, param="aoai-copy-ft-checkpoints", contains="set to 'preview'")


@pytest.mark.parametrize(
    ("to", "changes", "message", "param"),
    [
        ("nowhere", {}, "was not found, or the source account has no permission to access it", "destinationResourceId"),
        ("fabrikam", {"destinationResourceId": "fabrikam"}, "is not the resource ID of an Azure", "destinationResourceId"),
        ("fabrikam", {"region": "westus"}, "is in 'Sweden Central', not in 'westus'", "region"),
        ("near", {}, "is copied to another region than that of the source account", "region"),
        ("contoso", {}, "is copied to another region than that of the source account", "region"),
        ("fabrikam", {}, "must have at least one fine-tuning job", "destinationResourceId"),
        ("fabrikam", {"region": None}, "expected a string, but got null", "region"),
        ("fabrikam", {"more": 1}, "Unknown parameter: 'more'", "more"),
    ],
)
def test_a_destination_that_cannot_have_it_is_refused(
    three: dict[str, OpenAI], to: str, changes: Json, message: str, param: str
) -> None:
    source = three["contoso"]
    job = trained(source)
    refused = copy(source, job.id, job.fine_tuned_model, to, **changes)
    assert_azure_error(refused, 400, contains=message, param=param)
    assert_azure_error(poll(source, job.id, job.fine_tuned_model), 404, contains="has not been copied")


def test_regions_are_compared_however_they_are_written(three: dict[str, OpenAI]) -> None:
    source, job = three["contoso"], trained(three["contoso"])
    trained(three["fabrikam"])
    begun = copy(source, job.id, job.fine_tuned_model, "FABRIKAM", region="swedencentral")
    assert begun.json()["copiedAccountDetails"][0] == {
        "destinationResourceId": account("FABRIKAM"),
        "region": "swedencentral",
        "status": "InProgress",
    }


def test_what_is_not_there_is_not_copied(three: dict[str, OpenAI]) -> None:
    source, job = three["contoso"], trained(three["contoso"])
    for found in (copy(source, job.id, "ftchkpt-nope"), poll(source, job.id, "ftchkpt-nope")):
        assert_azure_error(found, 404, contains="Could not find checkpoint: ftchkpt-nope")
    for found in (copy(source, "ftjob-nope", "x"), poll(source, "ftjob-nope", "x")):
        assert_azure_error(found, 404, contains="Could not find fine tune: ftjob-nope", code="fine_tune_not_found")


# -- permissions


def test_permissions_are_given_listed_and_taken_back(plain: OpenAI) -> None:
    model = trained(plain).fine_tuned_model
    permissions = plain.fine_tuning.checkpoints.permissions
    given = permissions.create(model, project_ids=["proj_a", "proj_b", "proj_c"])
    assert [one.project_id for one in given.data] == ["proj_a", "proj_b", "proj_c"]
    assert {one.id[:3] for one in given.data} == {"cp_"}
    assert [one.project_id for one in permissions.list(model)] == ["proj_c", "proj_b", "proj_a"]
    assert [one.project_id for one in permissions.list(model, order="ascending", limit=2)] == ["proj_a", "proj_b", "proj_c"]
    assert [one.id for one in permissions.list(model, project_id="proj_b")] == [given.data[1].id]
    again = permissions.create(model, project_ids=["proj_b", "proj_d"])
    assert again.data[0].id == given.data[1].id
    gone = permissions.delete(given.data[0].id, fine_tuned_model_checkpoint=model)
    assert gone.to_dict() == {"id": given.data[0].id, "object": "checkpoint.permission", "deleted": True}
    assert len(list(permissions.list(model))) == 3
    with pytest.raises(openai.NotFoundError, match="Could not find checkpoint permission"):
        permissions.delete(given.data[0].id, fine_tuned_model_checkpoint=model)


def test_every_checkpoint_has_permissions_of_its_own(plain: OpenAI) -> None:
    job = trained(plain)
    names = [one.fine_tuned_model_checkpoint for one in plain.fine_tuning.jobs.checkpoints.list(job.id)]
    permissions = plain.fine_tuning.checkpoints.permissions
    for name in names:
        permissions.create(name, project_ids=[name[-3:]])
    assert [[one.project_id for one in permissions.list(name)] for name in names] == [[name[-3:]] for name in names]


def test_permissions_of_nothing_are_refused(plain: OpenAI) -> None:
    permissions = plain.fine_tuning.checkpoints.permissions
    with pytest.raises(openai.NotFoundError, match="Could not find fine-tuned model checkpoint: nope"):
        permissions.list("nope")
    model = trained(plain).fine_tuned_model
    with pytest.raises(openai.BadRequestError, match="empty array"):
        permissions.create(model, project_ids=[])
    with pytest.raises(openai.BadRequestError, match="Supported values are: 'ascending' and 'descending'"):
        permissions.list(model, order="asc")  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_the_asynchronous_client_gives_permissions(async_client: AsyncOpenAI, plain: OpenAI) -> None:
    model = trained(plain).fine_tuned_model
    permissions = async_client.fine_tuning.checkpoints.permissions
    given = await permissions.create(model, project_ids=["proj_a"])
    assert [one.project_id async for one in permissions.list(model)] == ["proj_a"]
    assert (await permissions.delete(given.data[0].id, fine_tuned_model_checkpoint=model)).deleted
