"""A request as the prompt that a script or the improviser answers: its past, its rules, its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.responses import abilities, refusals, stored
from mockserver.api.responses.attachments import refuse_unknown_files
from mockserver.api.responses.needs import refuse_missing
from mockserver.api.responses.requests import AsksModel, JsonSchemaFormat, ResponseRequest, TakesInput
from mockserver.api.responses.retrieval import retrieval
from mockserver.api.responses.templates import FilledTemplate, filled
from mockserver.api.responses.tools import chosen, offered, validate_tools
from mockserver.api.responses.turns import joined, refuse_loose_items, turns_of
from mockserver.model import tokens
from mockserver.model.prompt import PLAIN_TEXT, OutputFormat, Prompt, Turn
from mockserver.operations.body import JsonObjectFormat
from mockserver.operations.complaints import above_maximum
from mockserver.operations.items import identify, normalise
from mockserver.operations.sealing import unverified
from mockserver.resource.conversations import conversation_items, find_item, is_ephemeral
from mockserver.state.ids import ResponseIds

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model
    from mockserver.operations.call import Call, ModelCall
    from mockserver.operations.sealing import Seal

Json = Any
Object = dict[str, Json]


@dataclass(slots=True)
class ResponsePrompt(Prompt):
    """A prompt with what its response needs to know: its id, the source of its items' ids, its own input items, all items,
    and the prompt template that the request names."""

    response_id: str = ""
    ids: ResponseIds | None = None
    items: list[Object] = field(default_factory=list)
    conversation: list[Object] = field(default_factory=list)
    template: FilledTemplate | None = None


def prompt(call: ModelCall) -> ResponsePrompt:
    """The prompt of a validated createResponse. Raises ApiError 400 or 404 for what cannot be answered."""
    body: ResponseRequest = call.body
    model = call.deployment.model
    ids = ResponseIds(call.chance, call.created, stored=body.stored)
    response_id = call.new_id or ids.new("resp")
    validate_tools(body.tools, loose=call.resource.refuses("function_schemas"))
    template = filled(call, body.prompt) if body.conversation_id is None else None
    past, new = conversation_of(call, body, body.conversation_id, answers=body.prompt is not None)
    if body.conversation_id is not None:
        template = filled(call, body.prompt)  # the service looks for the conversation first (measured on the sister service)
    abilities.refuse_unable(call)
    abilities.refuse_images(call, new)
    if body.background and not body.stored:
        raise refusals.background_unstored()
    refuse_missing(call, body.tools)
    items = identify(new, ids)
    conversation = joined(past, items)
    result = ResponsePrompt(
        deployment=body.model,
        model=model,
        turns=turns_of([*(template.messages if template is not None else ()), *conversation]),
        instructions=body.instructions or (template.instructions if template is not None else None),
        tools=offered(body.tools),
        tool_choice=chosen(body.tool_choice, body.tools),
        parallel_tool_calls=body.parallel_tool_calls is not False,
        output=_output(body, items),
        max_tokens=_limit(body, model),
        effort=effort_of(body, model),
        summary=summary_of(body),
        metadata=body.metadata or {},
        previous=body.previous_response_id,
        response_id=response_id,
        ids=ids,
        items=items,
        conversation=conversation,
        template=template,
    )
    result.passages = retrieval(call, body.tools, result.user)
    _fit(result, truncate=body.truncation == "auto")
    return result


def counted(call: Call, body: AsksModel, model: Model) -> Prompt:
    """The prompt whose input tokens are to be counted. Raises ApiError 400 or 404 as creating a response would."""
    validate_tools(body.tools, loose=call.resource.refuses("function_schemas"))
    past, new = conversation_of(call, body, body.conversation_id)
    tool_choice = chosen(body.tool_choice, body.tools)
    return Prompt(model.name, model, turns_of(joined(past, new)), body.instructions, offered(body.tools), tool_choice)


def conversation_of(
    call: Call, body: TakesInput, conversation: str | None = None, *, answers: bool = False
) -> tuple[list[Object], list[Object]]:
    """The items before this request and its own. With `answers` there is something to answer without any input.

    Raises ApiError 400 or 404 for items that are wrong, unknown or torn from what they belong to.
    """
    if body.input is None and not (answers or body.previous_response_id or conversation):
        # A null counts as a string gone wrong, not as a missing parameter (measured on the sister service).
        raise (
            errors.invalid_type("input", "a string", "an object") if "input" in call.raw else errors.missing_parameter("input")
        )
    resource = call.resource
    new = normalise(body.input, lambda item_id: find_item(resource, item_id), check_ids=resource.refuses("item_ids"))
    past = _past(call, body.previous_response_id, conversation)
    if not new and not past and not answers:
        raise refusals.nothing_to_answer()
    _refuse_ephemeral(call, new)
    if resource.refuses("encrypted_content"):
        _refuse_unverified(resource.seal, new)
    abilities.refuse_media(resource, new)
    refuse_unknown_files(call.resource.store, new)
    refuse_loose_items(past, new)
    return past, new


def _past(call: Call, previous: str | None, conversation: str | None) -> list[Object]:
    if conversation is not None:
        if previous is not None:
            raise refusals.two_pasts()
        return conversation_items(call.resource, conversation, call.now)
    if previous is None:
        return []
    if not previous.startswith("resp"):
        raise refusals.malformed_previous(previous)
    return stored.chain(call.resource, previous)


def _refuse_ephemeral(call: Call, items: list[Object]) -> None:
    """Reasoning of a response that was not stored has to bring its encrypted content (reported)."""
    for item in items:
        if item["type"] == "reasoning" and not item.get("encrypted_content") and is_ephemeral(item.get("id") or ""):
            find_item(call.resource, item["id"])


def _refuse_unverified(seal: Seal, items: list[Object]) -> None:
    """Opaque content has to be the resource's own; that of another resource, forged or altered, is none (reported)."""
    for item in items:
        content = item.get("encrypted_content")
        if isinstance(content, str) and not seal.is_own(content):
            raise unverified(content)


def effort_of(body: ResponseRequest, model: Model) -> str | None:
    """The reasoning effort that applies."""
    return (body.reasoning and body.reasoning.effort) or model.default_effort


def summary_of(body: ResponseRequest) -> str | None:
    """The kind of reasoning summary that the request wants."""
    reasoning = body.reasoning
    return (reasoning.summary or reasoning.generate_summary) if reasoning is not None else None


def _output(body: ResponseRequest, items: list[Object]) -> OutputFormat:
    wanted = body.text.format if body.text is not None else None
    if isinstance(wanted, JsonObjectFormat):
        if not any("json" in turn.text.lower() for turn in turns_of(items)):
            raise refusals.no_mention_of_json()
        return OutputFormat("json_object")
    if isinstance(wanted, JsonSchemaFormat):
        if wanted.strict:
            from mockserver.model.json_schema import strict_problem

            problem = strict_problem(wanted.schema_)
            if problem is not None:
                message = f"Invalid schema for response_format '{wanted.name}': {problem}"
                raise errors.invalid_value("text.format.schema", message, "invalid_json_schema")
        return OutputFormat("json_schema", wanted.name, wanted.schema_, bool(wanted.strict))
    return PLAIN_TEXT


def _limit(body: ResponseRequest, model: Model) -> int | None:
    limit = body.max_output_tokens
    if limit is not None and limit > model.output:
        raise above_maximum("max_output_tokens", limit, model.output)
    return limit


_BYTES_PER_CHARACTER = 4


def _fit(prompt: Prompt, *, truncate: bool) -> None:
    """Refuse what the model's window does not hold, or drop the oldest turns until it does."""
    longest = len(prompt.instructions or "") + sum([len(turn.text) + 8 for turn in prompt.turns])
    if longest * _BYTES_PER_CHARACTER < prompt.model.context:
        return
    while (used := tokens.count_prompt(prompt)) > prompt.model.context:
        if not truncate or len(prompt.turns) <= 1:
            raise errors.context_length_exceeded("input", prompt.model.context, used)
        prompt.turns = _without_oldest(prompt.turns)


def _without_oldest(turns: list[Turn]) -> list[Turn]:
    return turns[max(1, len(turns) // 8) :]
