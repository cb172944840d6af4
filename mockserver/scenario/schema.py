"""The scenario file's format as a whole, and its publication as JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, create_model, model_validator

from mockserver.operations.access import RoleName
from mockserver.scenario.answers import BehaviourSection, RespondSection
from mockserver.scenario.conditions import WhenSection
from mockserver.scenario.identity import TokenFailure
from mockserver.scenario.prompts import PromptSection
from mockserver.scenario.section import (
    Count,
    Duration,
    Name,
    Section,
    Size,
    States,
    Text,
    WholeNumber,
    by_kind,
    optional,
    problem_at,
)
from mockserver.scenario.state import StateSection
from mockserver.settings import SETTINGS, Setting

Json = Any
SCHEMA_ID = "urn:azure-openai-mockserver:scenario"

_Respond = Annotated[RespondSection, Tag("<map>")]
_Sequence = Annotated[list[Annotated[Text | _Respond, by_kind("text or a mapping")]], Field(min_length=1), Tag("<list>")]


class RuleSection(Section):
    """A rule: conditions on a call, and the answer that it gets."""

    name: Name = optional("The rule's name in the log, the journal and messages.")
    when: WhenSection = optional("The conditions on a call. Without it: every call that a model answers.")
    respond: Annotated[Text | _Respond | _Sequence, by_kind("text, a mapping, or a list of them")] = Field(
        description="The answer: text, a mapping, or a list with one entry for each call, the last of which repeats."
    )
    times: Count = optional("How many calls the rule answers; after that it is skipped.")
    priority: int = optional(
        "Rules of higher priority are tried first (default 0), those of the same priority in the order of the file."
    )
    set_state: States = optional("The state of the script once the rule has answered, or states by machine.")


class DeploymentSection(BehaviourSection):
    """A model under a name, and the behaviour of all its answers."""

    model: Name = optional("The model that it serves. Without it: the one that its name suggests.")
    like: Name = optional("A model of the catalogue that `model` behaves like, where the catalogue does not have it yet.")
    rpm: Count = optional("Requests per minute; more get Azure's 429.")
    tpm: Count = optional("Tokens per minute; more get Azure's 429.")
    enqueued_tokens: Count = optional("Tokens that batches may have enqueued; a batch beyond them fails.")


class LifecycleSection(Section):
    """When long work is done: by polls or by time. Without either: at its first poll."""

    polls: Annotated[int, Field(ge=0)] = optional("How many polls still find it unfinished.")
    seconds: Duration = optional("How much of the resource's time it takes.")

    @model_validator(mode="after")
    def _refuse_both(self) -> Self:
        if self.polls is not None and self.seconds is not None:
            raise problem_at("polls", "work is done by polls or by time: give polls or seconds, not both")
        return self


class LifecyclesSection(LifecycleSection):
    """When long work is done: all kinds of it, and each kind that has a lifecycle of its own."""

    response: LifecycleSection = optional("Responses in the background.")
    file: LifecycleSection = optional("Files to train on, which are pending first, then running, then processed.")
    vector_store_file: LifecycleSection = optional("Files that are indexed in a vector store.", alias="vector_store.file")
    job: LifecycleSection = optional(
        "Fine-tuning jobs, which are pending first, then running, then succeeded.", alias="fine_tuning.job"
    )
    eval_run: LifecycleSection = optional("Runs of evals, which are in progress first, then completed.", alias="eval.run")
    copy_: LifecycleSection = optional("Copies of checkpoints in other resources.", alias="fine_tuning.copy")
    batch: LifecycleSection = optional("Batches, which are validated first, then in progress, then finalized, then completed.")


class IdentitySection(Section):
    """Who may call the resource: its tenant, the roles of callers with a token, the tokens that are issued, and whether keys do."""

    tenant: Name = optional("The tenant's id: tokens of other tenants are refused, and issued tokens have it.")
    roles: list[RoleName] = optional(
        "The roles of every caller with a token. Without it: all rights. With an empty list: none."
    )
    expires_in: Duration = optional("How long issued tokens hold. Without it: an hour, or a day from a managed identity.")
    local_auth: bool = optional("Whether keys are accepted (default true).")
    refuse: TokenFailure = optional("How requests for tokens fail. Without it: they do not.")


_TYPES = {
    "flag": bool,
    "text": Name,
    "seed": Annotated[WholeNumber | Text, by_kind("a number or text")],
    "count": Count,
    "size": Size,
    "file": Name,
    "names": Annotated[list[Name], Field(min_length=1)],
}


def _field(setting: Setting) -> tuple[Any, Any]:
    type_: Any = Literal[setting.choices] if setting.choices else _TYPES[setting.kind.name]
    if setting.choices and setting.kind.name == "names":
        type_ = list[type_]
    return type_, optional(setting.help, json_schema_extra={"deprecated": True} if setting.deprecated else None)


_FIELDS: dict[str, Any] = {name: _field(setting) for name, setting in SETTINGS.items() if "file" in setting.at}
_SettingsSection = create_model("_SettingsSection", __base__=Section, **_FIELDS)


class ResourceSection(_SettingsSection):
    """The Azure OpenAI resource that the scenario is about."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")] = optional("Its name, as in NAME.openai.azure.com.")
    lifecycle: LifecyclesSection = optional("When background work is done, for all kinds of it or kind by kind.")
    identity: IdentitySection = optional("Who may call it: tenant, roles, issued tokens, and whether keys are accepted.")


_Deployment = Annotated[Text | Annotated[DeploymentSection, Tag("<map>")], by_kind("a model's name or a mapping")]


class ScenarioFile(Section):
    """A scenario: what a pretend Azure OpenAI resource consists of, and how it answers."""

    resource: ResourceSection = optional("The resource.")
    deployments: dict[Name, _Deployment] = optional("The deployments by name. If there are any, all other names are unknown.")
    prompts: dict[Name, PromptSection] = optional("Prompt templates by id, which responses name under `prompt`.")
    rules: list[RuleSection] = optional("The rules. The first that fits a call answers it.")
    state: StateSection = optional(
        "What the resource has before its first call: files, vector stores, conversations, responses."
    )


def json_schema() -> dict[str, Json]:
    """The format as JSON Schema (2020-12), for editors and validators."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "mockserver scenario"}
    tidied: dict[str, Json] = _tidy(ScenarioFile.model_json_schema(by_alias=True))
    return head | tidied


def _tidy(schema: Json) -> Json:
    """The schema without pydantic's titles and null defaults, which are only noise in an editor."""
    if isinstance(schema, list):
        return [_tidy(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    noise = {
        key
        for key, value in schema.items()
        if (key == "title" and isinstance(value, str)) or (key == "default" and value is None)
    }
    return {key: _tidy(inner) for key, inner in schema.items() if key not in noise}
