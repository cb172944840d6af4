"""An example of every kind of stored object, by the path that leads to it: who tests all operations makes what they are about.

A family that lands adds its paths here. What an operation needs in its body, beyond nothing, stands in `BODIES`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from support.training import chats

from mockserver.operations.table import Operation

Json = Any
Ids = dict[str, str]
"""The ids that a path's parameters stand for."""
_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Caller:
    """Somebody with a key, who sends requests below the surface's root."""

    http: httpx2.Client
    base_url: str
    key: str

    def send(self, method: str, path: str, **options: Json) -> httpx2.Response:
        """Send a request and return whatever comes back."""
        headers = {"api-key": self.key} | options.pop("headers", {})
        return self.http.request(method, self.base_url.rstrip("/") + path, headers=headers, **options)

    def post(self, path: str, body: Json = None, **options: Json) -> dict[str, Json]:
        """Create something, and return it."""
        response = self.send("POST", path, json=body, **options)
        assert response.status_code in (200, 201), response.text
        created: dict[str, Json] = response.json()
        return created


Example = Callable[[Caller, Ids], str]
ONE_POLL = {"lifecycle": {"fine_tuning.job": {"polls": 1}}}
"""What a resource must have for a job that can be paused: it runs for one poll."""
FABRIKAM: dict[str, Json] = {"name": "fabrikam", "region": "West US", "keys": ["key of fabrikam"], **ONE_POLL}
"""The neighbour that checkpoints are copied to."""
MESSAGE = {"type": "message", "role": "user", "content": "a secret"}
MODEL = "gpt-4.1-nano"
GRADER = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


def _completion(owner: Caller, ids: Ids) -> str:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "a secret"}], "store": True}
    return str(owner.post("/chat/completions", body)["id"])


def _response(owner: Caller, ids: Ids) -> str:
    # In the background, so that it can be cancelled; with a poll to come, which may be a read of it.
    return str(owner.post("/responses", {"model": MODEL, "input": "a secret", "background": True})["id"])


def _conversation(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/conversations", {"items": [MESSAGE]})["id"])


def _conversation_item(owner: Caller, ids: Ids) -> str:
    return str(owner.post(f"/conversations/{ids['conversation_id']}/items", {"items": [MESSAGE]})["data"][0]["id"])


def _container(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/containers", {"name": "a secret"})["id"])


def _container_file(owner: Caller, ids: Ids) -> str:
    return str(owner.post(f"/containers/{ids['container_id']}/files", files={"file": ("a.txt", b"a secret")})["id"])


def _file(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/files", files={"file": ("a.txt", b"a secret")}, data={"purpose": "assistants"})["id"])


def _upload(owner: Caller, ids: Ids) -> str:
    body = {"filename": "a.txt", "purpose": "assistants", "bytes": 8, "mime_type": "text/plain"}
    return str(owner.post("/uploads", body)["id"])


def _part(owner: Caller, ids: Ids) -> str:
    return str(owner.post(f"/uploads/{ids['upload_id']}/parts", files={"data": b"a secret"})["id"])


def _vector_store(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/vector_stores", {"name": "a secret"})["id"])


def _vector_store_file(owner: Caller, ids: Ids) -> str:
    return str(owner.post(f"/vector_stores/{ids['vector_store_id']}/files", {"file_id": _file(owner, {})})["id"])


def _file_batch(owner: Caller, ids: Ids) -> str:
    body = {"file_ids": [_file(owner, {})]}
    return str(owner.post(f"/vector_stores/{ids['vector_store_id']}/file_batches", body)["id"])


def _batch_file(owner: Caller) -> str:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "a secret"}]}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    files = {"file": ("a.jsonl", json.dumps(line).encode())}
    return str(owner.post("/files", files=files, data={"purpose": "batch"})["id"])


def _new_batch(owner: Caller) -> dict[str, Json]:
    return {"input_file_id": _batch_file(owner), "endpoint": "/v1/chat/completions", "completion_window": "24h"}


def _batch(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/batches", _new_batch(owner))["id"])


def _training_file(owner: Caller) -> str:
    files = {"file": ("a.jsonl", chats())}
    return str(owner.post("/files", files=files, data={"purpose": "fine-tune"})["id"])


def _new_job(owner: Caller) -> dict[str, Json]:
    return {"model": MODEL, "training_file": _training_file(owner)}


def _job(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/fine_tuning/jobs", _new_job(owner))["id"])


def _run_job(owner: Caller, ids: Ids) -> dict[str, Json]:
    """Have a job run, where the lifecycle has it run for one poll."""
    owner.send("GET", f"/fine_tuning/jobs/{ids['fine_tuning_job_id']}")
    return {}


def _pause_job(owner: Caller, ids: Ids) -> dict[str, Json]:
    _run_job(owner, ids)
    owner.send("POST", f"/fine_tuning/jobs/{ids['fine_tuning_job_id']}/pause")
    return {}


EVALS = {"aoai-evals": "preview"}
_JUDGE = {
    "type": "label_model",
    "name": "judge",
    "model": MODEL,
    "input": [{"role": "developer", "content": "Is it a secret?"}, {"role": "user", "content": "{{item.answer}}"}],
    "labels": ["yes", "no"],
    "passing_labels": ["yes"],
}
_SCORE = {
    "type": "score_model",
    "name": "score",
    "model": MODEL,
    "input": [{"role": "system", "content": "How secret is it?"}, {"role": "user", "content": "{{item.answer}}"}],
}
NEW_EVAL = {
    "name": "a secret",
    "data_source_config": {
        "type": "custom",
        "item_schema": {"type": "object", "properties": {"answer": {"type": "string"}}},
        "include_sample_schema": True,
    },
    "testing_criteria": [_JUDGE, GRADER | {"input": "{{item.answer}}"}, _SCORE],
}
_ROWS = [{"item": {"answer": "a secret"}}]
NEW_RUN = {"data_source": {"type": "jsonl", "source": {"type": "file_content", "content": _ROWS}}}


def _eval(owner: Caller, ids: Ids) -> str:
    return str(owner.post("/evals", NEW_EVAL, headers=EVALS)["id"])


def _eval_run(owner: Caller, ids: Ids) -> str:
    return str(owner.post(f"/evals/{ids['eval_id']}/runs", NEW_RUN, headers=EVALS)["id"])


def _output_item(owner: Caller, ids: Ids) -> str:
    path = f"/evals/{ids['eval_id']}/runs/{ids['run_id']}"
    owner.send("GET", path, headers=EVALS)  # so that it happens
    return str(owner.send("GET", f"{path}/output_items", headers=EVALS).json()["data"][0]["id"])


def _finish_job(owner: Caller, ids: Ids) -> str:
    """Have a job end; return the path of its checkpoints."""
    for _ in range(2):
        _run_job(owner, ids)
    return f"/fine_tuning/jobs/{ids['fine_tuning_job_id']}/checkpoints"


def _checkpoint(owner: Caller, ids: Ids) -> str:
    return str(owner.send("GET", _finish_job(owner, ids)).json()["data"][0]["id"])


def _trained_model(owner: Caller, ids: Ids) -> str:
    path = _finish_job(owner, {"fine_tuning_job_id": _job(owner, {})})
    return str(owner.send("GET", path).json()["data"][1]["fine_tuned_model_checkpoint"])


def _permission(owner: Caller, ids: Ids) -> str:
    path = f"/fine_tuning/checkpoints/{ids['fine_tuned_model_checkpoint']}/permissions"
    return str(owner.post(path, {"project_ids": ["proj_secret"]})["data"][0]["id"])


def _new_copy(owner: Caller, ids: Ids) -> dict[str, Json]:
    """What copies a checkpoint to the neighbour, which has a job of its own."""
    _job(Caller(owner.http, owner.base_url, FABRIKAM["keys"][0]), {})
    account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/fabrikam"
    return {"json": {"destinationResourceId": account, "region": FABRIKAM["region"]}}


def _copy(owner: Caller, ids: Ids) -> dict[str, Json]:
    path = "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints/{fine_tuning_checkpoint_id}/copy".format_map(ids)
    owner.post(path, _new_copy(owner, ids)["json"], headers={"aoai-copy-ft-checkpoints": "preview"})
    return {}


EXAMPLES: dict[str, Example | None] = {
    "/batches/{batch_id}": _batch,
    "/chat/completions/{completion_id}": _completion,
    "/containers/{container_id}": _container,
    "/containers/{container_id}/files/{file_id}": _container_file,
    "/conversations/{conversation_id}": _conversation,
    "/conversations/{conversation_id}/items/{item_id}": _conversation_item,
    "/evals/{eval_id}": _eval,
    "/evals/{eval_id}/runs/{run_id}": _eval_run,
    "/evals/{eval_id}/runs/{run_id}/output_items/{output_item_id}": _output_item,
    "/files/{file_id}": _file,
    "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}": _trained_model,
    "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions/{permission_id}": _permission,
    "/fine_tuning/jobs/{fine_tuning_job_id}": _job,
    "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints/{fine_tuning_checkpoint_id}": _checkpoint,
    "/models/{model}": None,
    "/responses/{response_id}": _response,
    "/uploads/{upload_id}": _upload,
    "/vector_stores/{vector_store_id}": _vector_store,
    "/vector_stores/{vector_store_id}/file_batches/{batch_id}": _file_batch,
    "/vector_stores/{vector_store_id}/files/{file_id}": _vector_store_file,
}
"""By the path up to a parameter: what makes an object that the parameter can name. None: what it names is no resource's own."""

BODIES: dict[str, Callable[[Caller, Ids], dict[str, Json]]] = {
    "addUploadPart": lambda owner, ids: {"files": {"data": b"a secret"}},
    "completeUpload": lambda owner, ids: {"json": {"part_ids": [_part(owner, ids)]}},
    "createBatch": lambda owner, ids: {"json": _new_batch(owner)},
    "createContainer": lambda owner, ids: {"json": {"name": "x", "expires_after": {"anchor": "last_active_at", "minutes": 5}}},
    "createContainerFile": lambda owner, ids: {"files": {"file": ("a.txt", b"x")}},
    "createConversation": lambda owner, ids: {"json": {"items": [MESSAGE], "metadata": {"a": "b"}}},
    "createConversationItems": lambda owner, ids: {"json": {"items": [MESSAGE]}},
    "createEval": lambda owner, ids: {"json": NEW_EVAL},
    "createEvalRun": lambda owner, ids: {"json": NEW_RUN},
    "createFile": lambda owner, ids: {"files": {"file": ("a.txt", b"x")}, "data": {"purpose": "assistants"}},
    "FineTuning_CopyCheckpoint": _new_copy,
    "FineTuning_GetCheckpoint": _copy,
    "createFineTuningCheckpointPermission": lambda owner, ids: {"json": {"project_ids": ["a", "b"]}},
    "createFineTuningJob": lambda owner, ids: {"json": _new_job(owner)},
    "createVectorStoreFile": lambda owner, ids: {"json": {"file_id": _file(owner, {})}},
    "createVectorStoreFileBatch": lambda owner, ids: {"json": {"file_ids": [_file(owner, {})]}},
    "modifyVectorStore": lambda owner, ids: {"json": {"name": "x"}},
    "runGrader": lambda owner, ids: {"json": {"grader": GRADER, "model_sample": "a secret", "item": {"answer": "a secret"}}},
    "pauseFineTuningJob": _run_job,
    "resumeFineTuningJob": _pause_job,
    "searchVectorStore": lambda owner, ids: {"json": {"query": "secret"}},
    "updateChatCompletion": lambda owner, ids: {"json": {"metadata": {"a": "b"}}},
    "updateConversation": lambda owner, ids: {"json": {"metadata": {"a": "b"}}},
    "updateEval": lambda owner, ids: {"json": {"name": "x"}},
    "updateVectorStoreFileAttributes": lambda owner, ids: {"json": {"attributes": {"a": "b"}}},
    "validateGrader": lambda owner, ids: {"json": {"grader": GRADER}},
}
"""By operationId: the body of a request, as the client's options. What it names is the owner's too."""


def prefixes(path: str) -> list[tuple[str, str]]:
    """A path template up to each of its parameters, and the parameters' names."""
    return [(path[: found.end()], found[1]) for found in _PARAMETER.finditer(path)]


def make(owner: Caller, path: str) -> Ids | None:
    """An object for every parameter of a path template, which is the owner's. None where they are no resource's own."""
    ids: Ids = {}
    for prefix, name in prefixes(path):
        assert prefix in EXAMPLES, f"tests/support/examples.py has no example of what {prefix} leads to"
        example = EXAMPLES[prefix]
        if example is None:
            return None
        ids[name] = example(owner, ids)
    return ids


def body(owner: Caller, operation: Operation, ids: Ids) -> dict[str, Json]:
    """The body of a request about the owner's objects, as the client's options."""
    if operation.id in BODIES:
        return BODIES[operation.id](owner, ids)
    return {"json": {}} if operation.body is not None else {}


def perform(caller: Caller, operation: Operation, ids: Ids, options: dict[str, Json] | None = None) -> httpx2.Response:
    """Call an operation on these objects, with a body among the client's options."""
    preview = {operation.preview: "preview"} if operation.preview is not None else {}
    return caller.send(operation.method, operation.path.format_map(ids), headers=preview, **(options or {}))
