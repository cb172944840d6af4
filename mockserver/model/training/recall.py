"""What a trained model answers: what the training example that is nearest to the question says.

That shows that training has had an effect, and nothing more. Nearest is what has most of the question's words, by the ranking of
`mockserver.model.search`. Where no example has any of them, or its answer does not suit the call, the answer is improvised as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.model.prompt import Prompt, parse_json
from mockserver.model.reply import Part, Reply, Text, ToolCall

if TYPE_CHECKING:
    from mockserver.model.training.formats import Lesson
    from mockserver.state.store import Document, Store

Json = Any
TRAINING = "training"
"""The kind of what a model was trained on. Its id is the model's name."""
LESSON = "training.lesson"
MOST_LESSONS = 10_000
"""How many lessons of a training file are kept; those behind them are not recalled."""
_CANDIDATES = 32
_CHECKPOINT = ":ckpt-step-"


def trained_name(model: str) -> str:
    """The name of the fine-tuned model that a model is, or is a checkpoint of."""
    return model.partition(_CHECKPOINT)[0]


def is_trained(snapshot: str) -> bool:
    """Whether a snapshot's name is that of a fine-tuned model."""
    return ".ft-" in snapshot


def learn(store: Store, model: str, number: int, lesson: Lesson) -> None:
    """Keep lesson `number` of a model's training, which is in the store."""
    keep_lesson(store, model, number, {"text": lesson.text, "after": lesson.after, "answer": lesson.answer})


def keep_lesson(store: Store, model: str, number: int, document: Document) -> None:
    """Keep a lesson as it is stored, for instance one of another resource's model."""
    from mockserver.model.search import words  # every resource imports this module, and few train models

    forms = words.index(document["text"])
    store.put(LESSON, f"{model}/{number}", document, parent=(TRAINING, model), text=forms, accepted=True)


def recall(store: Store, prompt: Prompt, improvised: Reply) -> Reply:
    """The nearest example's answer in the place of an improvised one, which stays where there is none that suits."""
    lesson = _nearest(store, trained_name(prompt.model.snapshot), prompt)
    parts = _parts(lesson["answer"], prompt) if lesson is not None else []
    if not parts:
        return improvised
    improvised.parts[-1:] = parts
    return improvised


def _nearest(store: Store, training: str, prompt: Prompt) -> Document | None:
    from mockserver.model.search.ranking import DEFAULT, Query, Statistics

    query = Query(prompt.user, DEFAULT)
    matches = store.search(LESSON, query.forms() | query.variants(query.terms), below=[(TRAINING, training)], limit=_CANDIDATES)
    score = query.scorer(Statistics(matches.texts, matches.words, matches.counts))
    after = "tool" if prompt.tool_results else "user"
    for match in sorted(matches.found, key=lambda one: -score(one.text)):
        lesson = store.get(LESSON, match.id)
        if lesson is not None and lesson["after"] == after:
            return lesson
    return None


def _parts(answer: Json, prompt: Prompt) -> list[Part]:
    """The answer's parts, none where it does not suit: it calls tools that the caller does not offer, or is not in the right format."""
    offered = {tool.name for tool in prompt.tools} if prompt.tool_choice.mode != "none" else set()
    calls: list[Part] = [ToolCall(use["name"], use["arguments"]) for use in answer["tool_calls"] if use["name"] in offered]
    if "audio" in prompt.modalities or (prompt.tool_choice.mode == "required" and not calls):
        return []
    text = str(answer["content"])
    return ([Text(text)] if text and _fits(text, prompt) else []) + calls


def _fits(text: str, prompt: Prompt) -> bool:
    """Whether a text is in the format that the prompt demands; of a schema, whether it has the members of one."""
    if prompt.output.kind == "text":
        return True
    value = parse_json(text)
    if not isinstance(value, dict) or prompt.output.kind == "json_object":
        return isinstance(value, dict)
    schema = prompt.output.schema if isinstance(prompt.output.schema, dict) else {}
    return set(schema.get("required") or ()) <= value.keys() <= set(schema.get("properties") or value)
