"""Evals that tests create: the schema of their items, and a testing criterion of every type."""

from __future__ import annotations

from typing import Any

Json = Any
PREVIEW = {"aoai-evals": "preview"}
SCHEMA = {
    "type": "object",
    "properties": {
        "question": {"type": "string"},
        "answer": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "more": {"type": "object"},
    },
    "required": ["question"],
}
CONFIG = {"type": "custom", "item_schema": SCHEMA, "include_sample_schema": True}
SAME = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "bleu",
    "pass_threshold": 0.5,
}
LABEL = {
    "type": "label_model",
    "name": "label",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Is it good? {{sample.output_text}}"}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
SCORE = {
    "type": "score_model",
    "name": "score",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "How good is it? {{sample.output_text}}"}],
    "range": [1, 5],
    "pass_threshold": 3,
}
PYTHON = {"type": "python", "name": "python", "source": "def grade(sample, item): return 1.0", "image_tag": "2025-05-08"}
ENDPOINT = {"type": "endpoint", "name": "endpoint", "url": "https://grader.test/"}
CRITERIA = [SAME, SIMILAR, LABEL, SCORE, PYTHON, ENDPOINT]


def create(evals: Any, *criteria: Json, **options: Json) -> Any:
    """An eval with these criteria, and unless others are given, with a name and the schema above."""
    options = {"name": "an eval", "data_source_config": CONFIG} | options
    return evals.create(testing_criteria=list(criteria or [SAME]), **options)


def rows(*pairs: tuple[str, str], **sample: Json) -> Json:
    """A source of questions and answers, each with this sample if there is one."""
    content = [
        {"item": {"question": question, "answer": answer}} | ({"sample": sample} if sample else {})
        for question, answer in pairs
    ]
    return {"type": "file_content", "content": content}


def asking(source: Json, kind: str = "completions", **options: Json) -> Json:
    """A data source for which a model is asked the questions."""
    messages = {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]}
    return {"type": kind, "model": "gpt-4.1-nano", "input_messages": messages, "source": source} | options


def run(evals: Any, eval_id: str, data_source: Json, **options: Json) -> Any:
    """A run that has ended."""
    begun = evals.runs.create(eval_id, data_source=data_source, **options)
    return evals.runs.retrieve(begun.id, eval_id=eval_id)


def items(evals: Any, ended: Any, **options: Json) -> list[Any]:
    """The output items of a run."""
    return list(evals.runs.output_items.list(ended.id, eval_id=ended.eval_id, **options))
