"""Training as the pretend model does it: what can be trained, how a run goes, what a file teaches, what is recalled."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.training import WORDS, chat, preference, rewarded

from mockserver.model.catalogue import find
from mockserver.model.prompt import PLAIN_TEXT, OutputFormat, Prompt, Tool, ToolChoice, Turn
from mockserver.model.reply import Reasoning, Reply, Text, ToolCall
from mockserver.model.training import hyperparameters
from mockserver.model.training.bases import BASES, base_of
from mockserver.model.training.course import COLUMNS, REWARDS, Course
from mockserver.model.training.formats import Example, FormatError, Lesson, read
from mockserver.model.training.recall import TRAINING, learn, recall, trained_name
from mockserver.state.memory import MemoryStore

Json = Any
BASE = BASES["gpt-4.1-2025-04-14"]
MODEL = "gpt-4.1-2025-04-14.ft-0123456789abcdef0123456789abcdef-mine"


# -- bases


@pytest.mark.parametrize("name", sorted(BASES))
def test_every_base_is_a_model_that_trains_itself(name: str) -> None:
    base = BASES[name]
    assert base_of(name) is base
    assert base_of(f"{name}.ft-0123") is base
    assert base.model.snapshot == name
    assert base.chat == (base.model.kind == "chat")
    assert base.methods


@pytest.mark.parametrize(
    "name", ["", "gpt", "gpt-4", "gpt-4.1-", "gpt-4o-mini-2024", "o4-mini-2025-04-17", "x.ft-01", ".ft-01"]
)
def test_other_names_train_nothing(name: str) -> None:
    found = base_of(name)
    assert found is None or (name, found.name) == ("gpt-4", "gpt-4-0613")


@pytest.mark.parametrize("ending", ["", "-mine", "-My_model-2", ":ckpt-step-90", "-mine:ckpt-step-1"])
def test_the_catalogue_knows_every_name_of_a_trained_model(ending: str) -> None:
    name = f"gpt-4.1-2025-04-14.ft-0123456789abcdef0123456789abcdef{ending}"
    model = find(name)
    assert model is not None
    assert (model.name, model.snapshot) == ("gpt-4.1", name)
    assert trained_name(name) == name.partition(":")[0]


# -- hyperparameters


@pytest.mark.parametrize(
    ("examples", "epochs", "batch"),
    [(10, 10, 1), (33, 3, 1), (34, 3, 1), (500, 3, 1), (1_000, 3, 2), (8_333, 3, 16), (20_000, 1, 40), (200_000, 1, 256)],
)
def test_what_auto_comes_to(examples: int, epochs: int, batch: int) -> None:
    found = hyperparameters.resolved(hyperparameters.initial({}), examples)
    assert found == {"n_epochs": epochs, "batch_size": batch, "learning_rate_multiplier": 1}


def test_wanted_values_stay_and_whole_numbers_are_written_as_such() -> None:
    wanted = {"n_epochs": 2, "batch_size": None, "learning_rate_multiplier": 2.0, "beta": 0.5}
    first = hyperparameters.initial(wanted)
    assert json.dumps(first) == '{"n_epochs": 2, "batch_size": -1, "learning_rate_multiplier": 2, "beta": 0.5}'
    assert hyperparameters.resolved(first, 10) == first | {"batch_size": 1}


# -- the course


COURSES = st.builds(
    Course,
    seed=st.integers(0, 2**31 - 1),
    method=st.sampled_from(["supervised", "dpo", "reinforcement"]),
    examples=st.integers(1, 60),
    epochs=st.integers(1, 8),
    batch=st.integers(1, 60),
    validated=st.booleans(),
    baseline=st.floats(0, 1),
    interval=st.none() | st.integers(1, 5),
)


@given(COURSES)
def test_any_course_ends_with_its_last_checkpoint(course: Course) -> None:
    assert 1 <= course.steps <= course.examples * course.epochs
    checkpoints = course.checkpoints
    assert checkpoints == sorted(set(checkpoints))
    assert 1 <= len(checkpoints) <= 3
    assert checkpoints[-1] == course.steps
    reported = list(course.reported(0, course.steps))
    assert reported == sorted(set(reported))
    assert (reported[0], reported[-1]) == (1, course.steps)
    assert len(reported) <= 22
    half = course.steps // 2
    assert [*course.reported(0, half), *course.reported(half, course.steps)] == reported


@given(COURSES)
def test_what_any_course_measures_is_in_range_and_in_its_columns(course: Course) -> None:
    columns = REWARDS if course.method == "reinforcement" else COLUMNS
    rows = list(course.rows())
    assert rows[0] == ",".join(columns) + "\n"
    assert len(rows) == course.steps + 1
    for step in {1, course.steps // 2 or 1, course.steps}:
        metrics = course.metrics(step)
        assert metrics.keys() <= set(columns.values())
        shares = [value for name, value in metrics.items() if "accuracy" in name or "reward" in name]
        assert all(0 <= value <= 1 for value in shares)
        assert all(value > 0 for name, value in metrics.items() if "loss" in name)
        assert course.metrics(step) == metrics
    assert any("full" in name for name in course.metrics(course.steps)) == (
        course.validated or course.method == "reinforcement"
    )


def test_a_run_of_odd_batches_has_as_many_steps_as_the_service_was_seen_to_take() -> None:
    assert Course(1, "reinforcement", 300, 2, 9, validated=True).steps == 67
    assert Course(1, "supervised", 10, 10, 1, validated=False).steps == 100


# -- formats


def parsed(document: Json, method: Any = "supervised", base: str = BASE.name) -> Example:
    return read(1, json.dumps(document).encode(), BASES[base], method)


def test_an_example_teaches_its_last_answer() -> None:
    found = parsed(chat("beta"))
    assert found.lessons == (Lesson("Which letter is beta?", "user", {"content": "It is beta.", "tool_calls": []}),)
    assert found.tokens > 10
    assert parsed(preference("mu"), "dpo").lessons[0].answer["content"] == "Preferred: mu."
    reinforced = parsed(rewarded("mu"), "reinforcement", "o4-mini-2025-04-16")
    assert (reinforced.lessons, reinforced.item["reference"]) == ((), "mu")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "tools", "input", "preferred_output", "prompt", "tool_calls", "function"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(ANYTHING, st.sampled_from(["supervised", "dpo", "reinforcement"]), st.sampled_from(sorted(BASES)))
def test_any_value_is_an_example_or_a_complaint(value: Json, method: Any, base: str) -> None:
    with contextlib.suppress(FormatError):
        assert read(2, json.dumps(value).encode(), BASES[base], method).tokens >= 0


@given(st.binary(max_size=80), st.integers(1, 3))
def test_any_bytes_are_an_example_or_a_complaint(line: bytes, number: int) -> None:
    with contextlib.suppress(FormatError):
        read(number, line, BASE, "supervised")


def test_a_mark_is_taken_at_the_beginning_only() -> None:
    line = "\ufeff".encode() + json.dumps(chat("eta")).encode()
    assert read(1, line, BASE, "supervised").lessons
    with pytest.raises(FormatError, match="Line 2 is not a dictionary"):
        read(2, line, BASE, "supervised")


# -- what is recalled


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.put(TRAINING, MODEL, {"id": MODEL})
    for number, word in enumerate(WORDS):
        answer = {"content": f"It is {word}.", "tool_calls": []}
        learn(store, MODEL, number, Lesson(f"Which letter is {word}?", "user", answer))
    use = {"name": "look", "arguments": '{"letter": "omega"}'}
    learn(store, MODEL, 100, Lesson("Look up omega", "user", {"content": "", "tool_calls": [use]}))
    learn(store, MODEL, 101, Lesson("Look up omega", "tool", {"content": '{"found": true}', "tool_calls": []}))
    return store


def recalled(store: MemoryStore, text: str, *, model: str = MODEL, turns: list[Turn] | None = None, **changes: Json) -> Reply:
    found = find(model)
    assert found is not None
    prompt = Prompt(model, found, turns or [Turn("user", text)], **changes)
    return recall(store, prompt, Reply([Reasoning(tokens=64), Text("improvised")]))


def test_the_nearest_lesson_is_recalled_after_what_the_model_thinks(store: MemoryStore) -> None:
    assert recalled(store, "letter gamma, please").parts == [Reasoning(tokens=64), Text("It is gamma.")]
    assert recalled(store, "gamma", model=f"{MODEL}:ckpt-step-5").text == "It is gamma."


@pytest.mark.parametrize("text", ["Nothing of the sort", "", "?!"])
def test_without_a_word_in_common_nothing_is_recalled(store: MemoryStore, text: str) -> None:
    assert recalled(store, text).text == "improvised"


def test_another_model_recalls_nothing(store: MemoryStore) -> None:
    assert recalled(store, "gamma", model=MODEL.replace("0123", "ffff")).text == "improvised"


def test_a_call_is_recalled_where_its_tool_is_offered(store: MemoryStore) -> None:
    tools = (Tool("look"),)
    assert recalled(store, "Look up omega", tools=tools).tool_calls == [ToolCall("look", '{"letter": "omega"}')]
    assert recalled(store, "Look up omega").text == "improvised"
    assert recalled(store, "Look up omega", tools=(Tool("other"),)).text == "improvised"
    assert recalled(store, "Look up omega", tools=tools, tool_choice=ToolChoice("none")).text == "improvised"
    assert recalled(store, "gamma", tools=tools, tool_choice=ToolChoice("required", ("look",))).text == "improvised"


def test_what_follows_a_tools_result_is_recalled_behind_one(store: MemoryStore) -> None:
    turns = [Turn("user", "Look up omega"), Turn("assistant"), Turn("tool", "yes", tool_call_id="a")]
    assert recalled(store, "", turns=turns).text == '{"found": true}'


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"properties": {"found": {}}, "required": ["found"]}, '{"found": true}'),
        ({"properties": {"found": {}, "more": {}}, "required": ["more"]}, "improvised"),
        ({"properties": {"other": {}}}, "improvised"),
        ({}, '{"found": true}'),
    ],
)
def test_an_answer_is_recalled_where_it_is_in_the_wanted_format(store: MemoryStore, schema: Json, found: str) -> None:
    turns = [Turn("user", "Look up omega"), Turn("tool", "yes", tool_call_id="a")]
    assert recalled(store, "", turns=turns, output=OutputFormat("json_schema", "x", schema)).text == found
    assert recalled(store, "", turns=turns, output=OutputFormat("json_object")).text == '{"found": true}'
    assert recalled(store, "gamma", output=OutputFormat("json_object")).text == "improvised"
    assert recalled(store, "gamma", output=PLAIN_TEXT).text == "It is gamma."
