"""`/models`: what the resource can serve: the catalogue, the deployments, and models from training.

The official document gives a model four members; traits such as the context window act in the answers instead. Deleting is for
fine-tuned models only; what is in the catalogue stays (docs).
"""

from __future__ import annotations

from typing import Any

from mockserver import errors
from mockserver.model.catalogue import CATALOGUE, Model
from mockserver.operations.call import Call, Result
from mockserver.operations.objects import deleted
from mockserver.operations.table import family
from mockserver.resource import trained

Json = Any
Object = dict[str, Json]
operation = family(style="pretty")


@operation("GET", "/models", "listModels")
def list_models(call: Call) -> Result:
    """Every model, the catalogue's first, in the list envelope without cursors (spec)."""
    return Result({"object": "list", "data": list(_models(call).values())})


@operation("GET", "/models/{model}", "retrieveModel")
def retrieve_model(call: Call) -> Result:
    """One model, by name, snapshot or deployment. Raises ApiError 404 for an unknown one."""
    name = call.path["model"]
    return Result(_known(call, name))


@operation("DELETE", "/models/{model}", "deleteModel")
def delete_model(call: Call) -> Result:
    """Delete a fine-tuned model. Raises ApiError 404 for an unknown one, 403 for one that is not the caller's (inferred).

    One that is deployed cannot be deleted (documented; the refusal is inferred).
    """
    name = call.path["model"]
    _known(call, name)
    deployed = next((one.name for one in call.resource.deployments.values() if one.model.snapshot == name), None)
    if deployed is not None and trained.place(call.resource.store, name) is not None:
        message = f"The model '{name}' cannot be deleted while the deployment '{deployed}' serves it."
        raise errors.request_error(message, param="model", status=409)
    if not trained.delete(call.resource.store, name):
        message = f"The model '{name}' is not a fine-tuned model of this resource and cannot be deleted."
        raise errors.request_error(message, param="model", status=403)
    return Result(deleted(name, "model"))


def _models(call: Call) -> dict[str, Object]:
    models = {model.snapshot: model for model in CATALOGUE.values()} | {model.name: model for model in CATALOGUE.values()}
    models |= {deployment.name: deployment.model for deployment in call.resource.deployments.values()}
    own = {document["id"]: _trained_object(document) for document in call.resource.store.documents(trained.MODEL)}
    return {name: _model_object(name, model) for name, model in models.items()} | own


def _known(call: Call, name: str) -> Object:
    model = _models(call).get(name)
    if model is None:
        raise model_not_found(name)
    return model


def _model_object(name: str, model: Model) -> Object:
    return {"id": name, "object": "model", "created": model.created, "owned_by": model.owner}


def _trained_object(document: Object) -> Object:
    """A model that training made. Its document has `id`, `model` (the name of what it is based on), `created` and `owner`."""
    return {"id": document["id"], "object": "model", "created": document["created"], "owned_by": document["owner"]}


def model_not_found(model: str) -> errors.ApiError:
    """A model that the catalogue does not have (recorded on the sister service)."""
    return errors.request_error(f"The model '{model}' does not exist", param="model", code="model_not_found", status=404)
