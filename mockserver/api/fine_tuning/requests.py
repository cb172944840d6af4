"""The bodies of fine-tuning operations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mockserver.operations.body import Body, Metadata, Part

Json = Any
_Auto = BeforeValidator(lambda value: None if value == "auto" else value)
Count = Annotated[Annotated[int, Field(ge=1)] | None, _Auto]
Factor = Annotated[Annotated[float, Field(gt=0)] | None, _Auto]


class Hyperparameters(Part):
    """What all methods have; None is `auto`."""

    n_epochs: Annotated[Annotated[int, Field(ge=1, le=50)] | None, _Auto] = None
    batch_size: Annotated[Annotated[int, Field(ge=1, le=256)] | None, _Auto] = None
    learning_rate_multiplier: Factor = None
    prompt_loss_weight: float | None = None


class PreferenceHyperparameters(Hyperparameters):
    """What `dpo` has besides."""

    beta: Annotated[Annotated[float, Field(gt=0, le=2)] | None, _Auto] = None


class ReinforcementHyperparameters(Hyperparameters):
    """What `reinforcement` has besides."""

    reasoning_effort: Literal["default", "low", "medium", "high"] | None = None
    compute_multiplier: Factor = None
    eval_interval: Count = None
    eval_samples: Count = None


class Supervised(Part):
    hyperparameters: Hyperparameters | None = None


class Preference(Part):
    hyperparameters: PreferenceHyperparameters | None = None


class Reinforcement(Part):
    grader: dict[str, Json]
    response_format: dict[str, Json] | None = None
    hyperparameters: ReinforcementHyperparameters | None = None


class Method(Part):
    """How a model is trained."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: Preference | None = None
    reinforcement: Reinforcement | None = None


class WeightsAndBiases(Part):
    project: str
    name: str | None = None
    entity: str | None = None
    tags: list[str] | None = None


class Integration(Part):
    """A service that metrics would be sent to: it is reported, and nothing is sent."""

    type: Literal["wandb"]
    wandb: WeightsAndBiases


class CreateJobRequest(Body):
    """The body of createFineTuningJob. `trainingType` is documented, and not in the official document."""

    model: str
    training_file: str
    validation_file: str | None = None
    hyperparameters: Hyperparameters | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")] | None = None
    integrations: list[Integration] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    method: Method | None = None
    metadata: Metadata | None = None
    trainingType: str | int | None = None  # noqa: N815 - the service's name


class CreatePermissionRequest(Body):
    project_ids: Annotated[list[str], Field(min_length=1)]


class CopyRequest(Body):
    destinationResourceId: str  # noqa: N815 - the service's names
    region: str
