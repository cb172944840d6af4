"""`/chat/completions`: one prompt, one or more choices, as an object or as a stream of chunks."""

from __future__ import annotations

from mockserver import errors
from mockserver.api.chat import chunks, deepseek, render, stored
from mockserver.api.chat.abilities import screen
from mockserver.api.chat.encoding import document
from mockserver.api.chat.prompt import prompt
from mockserver.api.chat.requests import ChatRequest
from mockserver.model import content_filter
from mockserver.model.limits import apply_limits
from mockserver.operations.call import DONE, ModelCall, Result
from mockserver.operations.table import operation
from mockserver.resource.files import refuse_unknown


@operation(
    "POST",
    "/chat/completions",
    "createChatCompletion",
    body=ChatRequest,
    screen=screen,
    prompt=prompt,
    style="compact",
    headers="chat",
    quota_name="ChatCompletions_Create",
    capability="chatCompletion",
)
def create(call: ModelCall) -> Result:
    """Answer a conversation. A prompt that the filter withholds is refused with 400, streamed or not (recorded)."""
    body: ChatRequest = call.body
    if [turn for turn in call.prompt.turns if turn.media]:  # hardly any request has some
        refuse_unknown(call.resource.store, body.file_ids)
    window = call.deployment.model.context
    if call.prompt_tokens > window:
        raise errors.context_length_exceeded("messages", window, call.prompt_tokens)
    replies = [call.reply(at) for at in range(body.n or 1)]
    filter_result = replies[0].prompt_filter
    if filter_result is not None and filter_result.blocked:
        raise errors.prompt_filtered(content_filter.prompt_results(filter_result))
    answers = [(reply, apply_limits(reply, call.prompt)) for reply in replies]
    renderer = deepseek if call.deployment.model.dialect == "deepseek" else render
    completion = renderer.completion(call, answers)
    if body.store:
        stored.keep(call, completion)
    if body.stream:
        stream = deepseek.stream if renderer is deepseek else chunks.stream
        return Result(frames=[*stream(call, completion), DONE])
    return Result(document(completion, escaped=bool(completion.get("prompt_filter_results"))))
