from __future__ import annotations

import pytest

from mockserver.model.catalogue import CATALOGUE, find, infer

INFERRED = {
    "gpt4o": "gpt-4o",
    "prod-gpt-4o": "gpt-4o",
    "gpt-4o-slow": "gpt-4o",
    "gpt4omini": "gpt-4o-mini",
    "gpt-4-1-mini": "gpt-4.1-mini",
    "gpt-41-mini": "gpt-4.1-mini",
    "gpt_5_1_codex_max": "gpt-5.1-codex-max",
    "GPT-5-Prod": "gpt-5",
    "gpt-5-1": "gpt-5.1",
    "gpt-50": "gpt-4o",
    "chatgpt-5": "gpt-5",
    "gpt-4-only": "gpt-4",
    "gpt-3.5-turbo": "gpt-35-turbo",
    "gpt-35": "gpt-35-turbo",
    "my-o3-mini": "o3-mini",
    "demo1": "gpt-4o",
    "repo3-test": "gpt-4o",
    "deepseek_r1": "DeepSeek-R1",
    "grok3mini": "grok-3-mini",
    "whatever": "gpt-4o",
}


@pytest.mark.parametrize(("deployment", "name"), INFERRED.items())
def test_a_deployment_serves_the_model_that_its_name_suggests(deployment: str, name: str) -> None:
    assert infer(deployment).name == name


@pytest.mark.parametrize(
    ("deployment", "kind", "name"),
    [
        ("my-embeddings", "embedding", "text-embedding-3-small"),
        ("embedding-3-large", "embedding", "text-embedding-3-large"),
        ("text-embedding-ada", "embedding", "text-embedding-ada-002"),
        ("gpt-4o-vectors", "embedding", "text-embedding-3-small"),
        ("gpt-4o", "embedding", "gpt-4o"),
        ("anything", "completion", "gpt-35-turbo-instruct"),
    ],
)
def test_only_models_of_the_kind_in_question_are_guessed(deployment: str, kind: str, name: str) -> None:
    assert infer(deployment, kind).name == name


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_model_is_found_by_its_name_and_described_soundly(name: str) -> None:
    model = CATALOGUE[name]
    assert find(name) is infer(name) is model
    assert 1_600_000_000 < model.created < 1_800_000_000
    assert model.default_effort in model.efforts or model.default_effort is None
    assert model.reasons == (model.default_effort is not None)
    assert (model.dimensions > 0) == (model.kind == "embedding")
    assert model.context >= model.output
    assert 0 < model.top_p <= 1


@pytest.mark.parametrize(
    ("name", "snapshot"),
    [
        ("gpt-4o", "gpt-4o-2024-11-20"),
        ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
        ("o4-mini", "o4-mini-2025-04-16"),
        ("gpt-5-mini", "gpt-5-mini-2025-08-07"),
        ("gpt-5.2-chat", "gpt-5.2-chat-latest"),
        ("gpt-5.6-luna", "gpt-5.6-luna-2026-07-09"),
        ("gpt-35-turbo", "gpt-35-turbo"),
        ("grok-3-mini", "grok-3-mini-high"),
    ],
)
def test_recorded_models_answer_by_the_name_they_were_seen_to_send(name: str, snapshot: str) -> None:
    assert CATALOGUE[name].snapshot == snapshot
    assert find(snapshot) is CATALOGUE[name]


@pytest.mark.parametrize(
    "snapshot", ["gpt-4o-2024-08-06", "gpt-5.2-chat-2025-12-11", "gpt-4-0613", "gpt-audio-mini-2025-10-06"]
)
def test_an_older_snapshot_is_honoured(snapshot: str) -> None:
    model = find(snapshot)
    assert model is not None
    assert model.snapshot == snapshot
    assert snapshot.startswith(model.name)


def test_a_snapshot_has_limits_and_a_date_of_its_own() -> None:
    first = find("gpt-4o-2024-05-13")
    assert first is not None
    assert (first.output, first.created) == (4_096, 1_715_558_400)
    assert infer("team-gpt-4o-2024-05-13").snapshot == "gpt-4o-2024-05-13"


@pytest.mark.parametrize("name", ["", "gpt-4o-2030-01-01", "gpt-9", "gpt4o", "gpt-9.ft-0a1b"])
def test_what_is_not_in_the_catalogue_is_not_found(name: str) -> None:
    assert find(name) is None


@pytest.mark.parametrize("suffix", [".ft-" + "0a1b" * 8, ".ft-" + "0a1b" * 8 + ":ckpt-step-90"])
def test_a_fine_tuned_model_behaves_like_its_base_and_answers_by_its_own_name(suffix: str) -> None:
    name = "gpt-4.1-nano-2025-04-14" + suffix
    tuned, base = find(name), CATALOGUE["gpt-4.1-nano"]
    assert tuned is not None
    assert infer(name) is tuned
    assert (tuned.snapshot, tuned.name, tuned.output) == (name, base.name, base.output)


def test_reasoning_models_take_the_documented_efforts() -> None:
    efforts = {
        name: (CATALOGUE[name].efforts, CATALOGUE[name].default_effort) for name in ("gpt-5", "gpt-5.1", "gpt-5-pro", "o3")
    }
    assert efforts["gpt-5"] == (("minimal", "low", "medium", "high"), "medium")
    assert efforts["gpt-5.1"] == (("none", "low", "medium", "high"), "none")
    assert efforts["gpt-5-pro"] == (("high",), "high")
    assert efforts["o3"] == (("low", "medium", "high"), "medium")
    assert not CATALOGUE["gpt-5-chat"].reasons


def test_recorded_traits_are_kept() -> None:
    luna, chat, mini = CATALOGUE["gpt-5.6-luna"], CATALOGUE["gpt-5.2-chat"], CATALOGUE["gpt-5-mini"]
    assert (luna.top_p, luna.cache_retention, luna.phase) == (0.98, "24h", True)
    assert (chat.top_p, chat.cache_retention, chat.phase) == (0.85, None, False)
    assert (mini.top_p, mini.cache_retention, mini.fingerprint) == (1.0, "in_memory", False)
    assert CATALOGUE["gpt-4o"].fingerprint
    assert CATALOGUE["text-embedding-ada-002"].reported_name == "ada"
    assert not CATALOGUE["text-embedding-ada-002"].resizable


def test_a_table_by_snapshot_names_the_model_itself() -> None:
    table = {model.snapshot: model.name for model in CATALOGUE.values()}
    assert table["gpt-4.1-mini-2025-04-14"] == "gpt-4.1-mini"
    assert CATALOGUE["model-router"].snapshot == "gpt-4.1-mini-2025-04-14"
