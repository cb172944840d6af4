"""`/models`: what the resource can serve: the catalogue, the deployments, and models that training made.

The official document gives a model four members; traits such as the context window act in the answers instead. Deleting is for
fine-tuned models only; what is in the catalogue stays (docs).
"""

from __future__ import annotations

from typing import Any

from mockserver import errors
from mockserver.model.catalogue import CATALOGUE, Model
from mockserver.operations.call import Call, Result
from mockserver.operations.table import family

Json = Any
operation = family(style="pretty")


@operation("GET", "/models", "listModels")
def list_models(call: Call) -> Result:
    """Every model, the catalogue's first, in the list envelope without cursors (spec)."""
    return Result({"object": "list", "data": [_model_object(name, model) for name, model in _models(call).items()]})


@operation("GET", "/models/{model}", "retrieveModel")
def retrieve_model(call: Call) -> Result:
    """One model, by name, snapshot or deployment. Raises ApiError 404 for an unknown one."""
    name = call.path["model"]
    return Result(_model_object(name, _known(call, name)))


@operation("DELETE", "/models/{model}", "deleteModel")
def delete_model(call: Call) -> Result:
    """Delete a fine-tuned model. Raises ApiError 404 for an unknown one, 403 for one that is not the caller's (inferred)."""
    name = call.path["model"]
    _known(call, name)
    if not call.resource.store.delete("model", name):
        message = f"The model '{name}' is not a fine-tuned model of this resource and cannot be deleted."
        raise errors.request_error(message, param="model", status=403)
    return Result({"id": name, "object": "model", "deleted": True})


def _models(call: Call) -> dict[str, Model]:
    models = {model.snapshot: model for model in CATALOGUE.values()} | {model.name: model for model in CATALOGUE.values()}
    trained = {document["id"]: document["model"] for document in call.resource.store.list("model")}
    return models | {deployment.name: deployment.model for deployment in call.resource.deployments.values()} | trained


def _known(call: Call, name: str) -> Model:
    model = _models(call).get(name)
    if model is None:
        raise model_not_found(name)
    return model


def _model_object(name: str, model: Model) -> dict[str, Json]:
    return {"id": name, "object": "model", "created": model.created, "owned_by": model.owner}


def model_not_found(model: str) -> errors.ApiError:
    """A model that the catalogue does not have (recorded on the sister service)."""
    return errors.request_error(f"The model '{model}' does not exist", param="model", code="model_not_found", status=404)
