"""The scenario file's format as a whole, and its publication as JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from mockserver.scenario.answers import BehaviourSection, RespondSection
from mockserver.scenario.conditions import WhenSection
from mockserver.scenario.section import Count, Duration, Name, Section, States, Text, Whole, either, given

Json = Any
SCHEMA_ID = "urn:azure-openai-mockserver:scenario"

_Respond = Annotated[RespondSection, Tag("<map>")]
_Sequence = Annotated[list[Annotated[Text | _Respond, either("text or a mapping")]], Field(min_length=1), Tag("<list>")]


class RuleSection(Section):
    """An answer and the calls that get it."""

    name: Name = given("What the log, the journal and messages call the rule.")
    when: WhenSection = given("What a call must have. Without it: every call that a model answers.")
    respond: Annotated[Text | _Respond | _Sequence, either("text, a mapping, or a list of them")] = Field(
        description="The answer: text, a mapping, or a list that is gone through call by call, its last entry repeating."
    )
    times: Count = given("How often the rule answers; then it is passed over.")
    priority: int = given("Rules of a higher priority are asked first (default 0), equal ones in the order of the file.")
    set_state: States = given(
        "The state that the script is in once the rule has answered, by name where there are several machines."
    )


class DeploymentSection(BehaviourSection):
    """A model under a name, and what is true of all its answers."""

    model: Name = given("The model that it serves. Without it: the one that its name suggests.")
    rpm: Count = given("Requests per minute; more get Azure's 429.")
    tpm: Count = given("Tokens per minute; more get Azure's 429.")


class LifecycleSection(Section):
    """When long work is done. Without either: at the first look at it."""

    polls: Annotated[int, Field(ge=0)] = given("How many looks still find it on its way.")
    seconds: Duration = given("How much of the resource's time it takes.")


class ResourceSection(Section):
    """The Azure OpenAI resource that the scenario is about."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")] = given("Its name, as in NAME.openai.azure.com.")
    keys: Annotated[list[Name], Field(min_length=1)] = given("The keys that it accepts.")
    region: Name = given("Its region, for instance `Sweden Central`.")
    seed: Annotated[Whole | Text, either("a number or text")] = given(
        "What all chance is drawn from: ids, improvised text, jitter."
    )
    strict: bool = given("Whether a call that no rule answers is refused instead of improvised.")
    profile: Literal["2026-01", "2026-03"] = given("Which of the service's preview rules apply.")
    dated: bool = given("Whether the older client's dated paths are answered, such as `/openai/deployments/…?api-version=…`.")
    lifecycle: LifecycleSection = given("When background work is done.")


_Deployment = Annotated[Text | Annotated[DeploymentSection, Tag("<map>")], either("a model's name or a mapping")]


class ScenarioFile(Section):
    """A scenario: what a pretend Azure OpenAI resource consists of, and how it answers."""

    resource: ResourceSection = given("The resource.")
    deployments: dict[Name, _Deployment] = given("The deployments by name. Once there are any, all other names are unknown.")
    rules: list[RuleSection] = given("The rules. The first that fits a call answers it.")


def json_schema() -> dict[str, Json]:
    """The format as JSON Schema (2020-12), for editors and validators."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "mockserver scenario"}
    tidied: dict[str, Json] = _tidied(ScenarioFile.model_json_schema(by_alias=True))
    return head | tidied


def _tidied(schema: Json) -> Json:
    """Without pydantic's titles and null defaults, which are only noise in an editor."""
    if isinstance(schema, list):
        return [_tidied(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    noise = {
        key
        for key, value in schema.items()
        if (key == "title" and isinstance(value, str)) or (key == "default" and value is None)
    }
    return {key: _tidied(inner) for key, inner in schema.items() if key not in noise}
