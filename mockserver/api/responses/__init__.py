"""`/responses`: create one, and what can be done with those that are stored."""

from __future__ import annotations

from typing import Any

from mockserver.api.responses import compaction as compaction
from mockserver.api.responses import refusals, stored
from mockserver.api.responses.abilities import screen
from mockserver.api.responses.events import EventOptions, frames
from mockserver.api.responses.prompt import ResponsePrompt, prompt
from mockserver.api.responses.render import prompt_length, response, skeleton, unfinished, visible
from mockserver.api.responses.requests import ResponseRequest
from mockserver.api.responses.uses import reply_of
from mockserver.model import content_filter
from mockserver.model.limits import apply_limits
from mockserver.operations import objects
from mockserver.operations.call import Call, ModelCall, Result
from mockserver.operations.lists import cursor, page
from mockserver.operations.table import family
from mockserver.operations.visible import INCLUDES, hide_images
from mockserver.resource.conversations import RESPONSE_ITEMS
from mockserver.state import work

Json = Any
Object = dict[str, Json]
operation = family(style="pretty")


@operation(
    "POST",
    "/responses",
    "createResponse",
    body=ResponseRequest,
    screen=screen,
    prompt=prompt,
    headers="responses",
    quota_name="Responses_Create",
    capability="responses",
    prompt_reads_store=True,
)
def create(call: ModelCall) -> Result:
    """Answer a conversation: as an object, as a stream, or in the background.

    A prompt that the filter withholds is a 400, in a stream three frames of which the last tells why (recorded).
    """
    body: ResponseRequest = call.body
    reply = reply_of(call)
    filter_result = reply.prompt_filter
    if filter_result is not None and filter_result.blocked:
        if not body.stream:
            raise refusals.prompt_withheld(content_filter.responses_filters(filter_result, None, prompt_length(call), None))
        whole = {**skeleton(call), "status": "failed"}
    else:
        whole = response(call, reply, apply_limits(reply, call.prompt))
    record = _record(call, whole)
    if body.stored:
        assert isinstance(call.prompt, ResponsePrompt)
        stored.keep(call.resource, record, call.prompt.items, call.now)
    if body.stream:
        hidden = body.stream_options is not None and body.stream_options.include_obfuscation is False
        return Result(frames=frames(whole, _event_options(call, record, record["include"], obfuscated=not hidden)))
    if body.background:
        return Result(unfinished(whole, "queued"))
    return Result(visible(whole, record["include"], call.resource.seal))


@operation("GET", "/responses/{response_id}", "getResponse")
def get(call: Call) -> Result:
    """Return a stored response, or replay it as a stream from `starting_after` on."""
    query = call.query
    include = query.choices("include", INCLUDES)
    stream = query.flag("stream", default=False)
    after = query.integer("starting_after", -1)
    obfuscated = query.flag("include_obfuscation", default=True)
    record = _stored_record(call)
    whole = record["response"]
    if stream:
        if not (record["streamed"] or record["background"]):
            raise refusals.not_streamed()
        # A stream goes on until the work is done, so having sent all of it means that it is.
        work.finish(call.resource, stored.RESPONSE, record["id"], call.now)
        return Result(frames=frames(whole, _event_options(call, record, include, obfuscated=obfuscated), after))
    if record["stage"] != "done":
        work.poll(call.resource, stored.RESPONSE, record["id"], call.now)
        record = _stored_record(call)
    stage = record["stage"]
    return Result(visible(whole, include, call.resource.seal) if stage == "done" else unfinished(whole, stage))


@operation("DELETE", "/responses/{response_id}", "deleteResponse")
def delete(call: Call) -> Result:
    """Delete a response. Deleting it again is a 404 (recorded)."""
    record = _stored_record(call)
    call.resource.store.delete(stored.RESPONSE, record["id"])
    return Result(objects.deleted(record["id"], "response.deleted"))


@operation("POST", "/responses/{response_id}/cancel", "cancelResponse")
def cancel(call: Call) -> Result:
    """Cancel background work; once it has ended, return how (docs: idempotent)."""
    record = _stored_record(call)
    if not record["background"]:
        raise refusals.not_background()
    if record["stage"] != "done":
        stored.cancel(call.resource, record, unfinished(record["response"], "cancelled"))
        record = _stored_record(call)
    return Result(visible(record["response"], (), call.resource.seal))


@operation("GET", "/responses/{response_id}/input_items", "listInputItems")
def list_input_items(call: Call) -> Result:
    """List the input items of a response, newest first (recorded)."""
    query = call.query
    include = query.choices("include", INCLUDES)
    wanted = cursor(query)
    given = objects.stored(call, RESPONSE_ITEMS, "response_id", refusals.response_not_found)
    items = [hide_images(item, include) for item in given["input"]]
    return Result(page(items, wanted))


def _record(call: ModelCall, whole: Object) -> stored.Record:
    body: ResponseRequest = call.body
    include: set[str] = set(body.include or ())
    if body.top_logprobs:
        include.add("message.output_text.logprobs")
    return {
        "id": whole["id"],
        "response": whole,
        "include": sorted(include),
        "background": bool(body.background),
        "streamed": bool(body.stream),
        "stage": "queued" if body.background and not body.stream else "done",
        "conversation": body.conversation_id,
        "chunk": call.chunk,
        "encoding": call.prompt.model.encoding,
    }


def _event_options(call: Call, record: stored.Record, include: list[str], *, obfuscated: bool) -> EventOptions:
    return EventOptions(include, record["chunk"], record["encoding"], obfuscated, call.resource.seal)


def _stored_record(call: Call) -> stored.Record:
    return objects.stored(call, stored.RESPONSE, "response_id", refusals.response_not_found)
