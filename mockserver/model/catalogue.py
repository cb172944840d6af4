"""The models that a deployment can serve: their snapshots, owners, dates and the traits that change what is answered.

Names, versions and limits are those of the docs' model tables and retirement schedule (2026); efforts and their defaults of its
reasoning page, for models newer than that page of public reports. `created` is what the sister service lists where that was
recorded, else midnight UTC of the version's date, or of the release for a model without dated versions. Inferred where not
recorded: `top_p` and `prompt_cache_retention` within a family, and the names that -chat models answer by before gpt-5.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from typing import Any, Literal

Dialect = Literal["openai", "grok", "deepseek", "mai", "cohere"]
Kind = Literal["chat", "embedding", "completion"]


_COMPUTER = ("computer_use_preview",)
_SEARCH = ("web_search", "web_search_preview")
_DRAWING = ("image_generation",)


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue.

    `snapshot` is the dated name that chat answers carry; `created` is in Unix seconds; `context` and `output` are limits in
    tokens. `dialect` says whose wire habits the answers follow. `efforts` lists the reasoning efforts that are accepted, the
    empty tuple means that the model does not reason; `thinking` False marks another vendor's model without reasoning.
    `fingerprint` is whether answers have a `system_fingerprint`, `phase` whether message items name their phase.
    `reported_name` is the name in embeddings answers where it is not `name`. `versions` are older ones that can be served.

    What callers may want of it: `chat` completions rather than responses alone; there, function `tools_with_effort`; images;
    `system` messages and any `tools`; the parameters `parallel` (`parallel_tool_calls`), `stop` and `verbosity`. `lacks` names
    hosted tools that it does not have, `since` is the first version of the legacy API that serves it.
    """

    name: str
    snapshot: str
    created: int
    owner: str = "openai"
    dialect: Dialect = "openai"
    kind: Kind = "chat"
    context: int = 128_000
    output: int = 16_384
    encoding: Literal["o200k_base", "cl100k_base"] = "o200k_base"
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    fingerprint: bool = True
    top_p: float = 1.0
    cache_retention: str | None = None
    phase: bool = False
    dimensions: int = 0
    resizable: bool = False
    audio: bool = False
    reported_name: str | None = None
    thinking: bool = True
    versions: tuple[str, ...] = ()
    chat: bool = True
    tools_with_effort: bool = True
    images: bool = True
    system: bool = True
    tools: bool = True
    parallel: bool = True
    stop: bool = True
    verbosity: bool = False
    lacks: tuple[str, ...] = _COMPUTER
    since: str = ""

    @property
    def reasons(self) -> bool:
        """Whether the model thinks before it answers (and refuses sampling parameters)."""
        return bool(self.efforts)


_O = ("low", "medium", "high")
_GPT5 = ("minimal", *_O)
_GPT51 = ("none", *_O)
_CODEX = (*_O, "xhigh")
_GPT52 = ("none", *_CODEX)
_GPT56 = (*_GPT52, "max")
_ONLY_MEDIUM = ("medium",)
_DATE = re.compile(r"\d{4}-\d\d-\d\d$")


def _midnight(version: str) -> int:
    return (date.fromisoformat(version).toordinal() - date(1970, 1, 1).toordinal()) * 86_400


def _chat(name: str, version: str, created: int | None = None, **traits: Any) -> Model:
    traits = {"cache_retention": "in_memory"} | traits
    return Model(name, f"{name}-{version}", _midnight(version) if created is None else created, **traits)


def _reasoner(
    name: str, version: str, efforts: tuple[str, ...], default: str, created: int | None = None, **traits: Any
) -> Model:
    limits = {"context": 400_000, "output": 128_000, "fingerprint": False, "stop": False, "verbosity": True} | traits
    return _chat(name, version, created, efforts=efforts, default_effort=default, **limits)


def _latest(name: str, version: str, **traits: Any) -> Model:
    """A preview model for conversations: its answers name no date, but `{name}-latest` (wire: gpt-5.2-chat)."""
    defaults: dict[str, Any] = {"snapshot": f"{name}-latest", "context": 128_000, "output": 16_384, "cache_retention": None}
    return replace(_reasoner(name, version, _ONLY_MEDIUM, "medium"), **(defaults | traits))


def _undated(name: str, created: int, **traits: Any) -> Model:
    return Model(name, name, created, **traits)


def _of(owner: str, dialect: Dialect, name: str, released: str, **traits: Any) -> Model:
    return replace(_undated(name, _midnight(released)), owner=owner, dialect=dialect, **({"output": 8_192} | traits))


_OLD: dict[str, Any] = {
    "encoding": "cl100k_base",
    "output": 4_096,
    "fingerprint": False,
    "images": False,
    "lacks": (*_COMPUTER, *_SEARCH, *_DRAWING),
}
_GPT41: dict[str, Any] = {"context": 1_047_576, "output": 32_768}
_O3: dict[str, Any] = {
    "context": 200_000,
    "output": 100_000,
    "parallel": False,
    "verbosity": False,
    "since": "2024-12-01-preview",
    "lacks": (*_COMPUTER, *_DRAWING),
}
_O1: dict[str, Any] = {**_O3, "stop": True, "lacks": (*_COMPUTER, *_SEARCH, *_DRAWING)}
# The first two that thought, which took neither instructions nor tools nor images.
_EARLY: dict[str, Any] = {**_O1, "context": 128_000, "system": False, "tools": False, "images": False}
_RESPONSES_ONLY: dict[str, Any] = {"chat": False}
_CODER: dict[str, Any] = {**_RESPONSES_ONLY, "verbosity": False}
_AUDIO: dict[str, Any] = {"audio": True, "cache_retention": None, "images": False}
_GPT54: dict[str, Any] = {"top_p": 0.98, "phase": True, "tools_with_effort": False}
_LONG: dict[str, Any] = {"context": 1_050_000}
_GPT55: dict[str, Any] = {**_GPT54, **_LONG, "cache_retention": "24h"}
_EMBEDDING: dict[str, Any] = {
    "kind": "embedding",
    "encoding": "cl100k_base",
    "context": 8_192,
    "output": 0,
    "fingerprint": False,
}
_COHERE: dict[str, Any] = {**_EMBEDDING, "dimensions": 1_024, "context": 512}
_COHERE4: dict[str, Any] = {**_COHERE, "dimensions": 1_536, "context": 128_000}
_COMPLETION: dict[str, Any] = {**_OLD, "kind": "completion"}

_ALL = (
    # Ahead of the model that it answers by, so that in a table by snapshot that model wins.
    _of(
        "microsoft", "openai", "model-router", "2025-11-18", context=200_000, output=32_768, snapshot="gpt-4.1-mini-2025-04-14"
    ),
    _undated("gpt-35-turbo", 1_677_610_602, context=16_385, versions=("0301", "0613", "1106", "0125"), **_OLD),
    _undated("gpt-35-turbo-16k", 1_683_758_102, context=16_384, versions=("0613",), **_OLD),
    _undated("gpt-35-turbo-instruct", 1_692_901_427, context=4_097, versions=("0914",), **_COMPLETION),
    _undated("davinci-002", 1_692_634_301, context=16_384, **_COMPLETION),
    _undated("babbage-002", 1_692_634_615, context=16_384, **_COMPLETION),
    _undated("gpt-4", 1_687_882_411, context=8_192, versions=("0314", "0613", "1106-Preview", "0125-Preview"), **_OLD),
    _undated("gpt-4-32k", 1_687_882_411, context=32_768, versions=("0314", "0613"), **_OLD),
    _chat("gpt-4-turbo", "2024-04-09", 1_712_361_441, encoding="cl100k_base", output=4_096, cache_retention=None),
    _chat("gpt-4o", "2024-11-20", 1_715_367_049, versions=("2024-05-13", "2024-08-06")),
    _chat("gpt-4o-mini", "2024-07-18", 1_721_172_741),
    _chat("gpt-4o-audio-preview", "2024-12-17", 1_727_460_443, versions=("2024-10-01", "2025-06-03"), **_AUDIO),
    _chat("gpt-4o-mini-audio-preview", "2024-12-17", 1_734_387_424, **_AUDIO),
    _chat("gpt-audio", "2025-08-28", 1_756_339_249, **_AUDIO),
    _chat("gpt-audio-mini", "2025-12-15", versions=("2025-10-06",), **_AUDIO),
    _chat("gpt-audio-1.5", "2026-02-23", **_AUDIO),
    _chat("gpt-4.1", "2025-04-14", 1_744_316_542, **_GPT41),
    _chat("gpt-4.1-mini", "2025-04-14", 1_744_318_173, **_GPT41),
    _chat("gpt-4.1-nano", "2025-04-14", 1_744_321_707, **_GPT41),
    _chat("gpt-4.5-preview", "2025-02-27"),
    _reasoner("o1", "2024-12-17", _O, "medium", 1_734_375_816, **(_O1 | {"fingerprint": True})),
    _reasoner("o1-preview", "2024-09-12", _ONLY_MEDIUM, "medium", **(_EARLY | {"output": 32_768})),
    _reasoner("o1-mini", "2024-09-12", _ONLY_MEDIUM, "medium", 1_725_649_008, **(_EARLY | {"output": 65_536})),
    _reasoner("o1-pro", "2025-03-19", _O, "medium", 1_742_251_791, **_O1, **_RESPONSES_ONLY),
    _reasoner("o3", "2025-04-16", _O, "medium", 1_744_225_308, **(_O3 | {"lacks": _COMPUTER})),
    _reasoner("o3-mini", "2025-01-31", _O, "medium", 1_737_146_383, **(_O1 | {"stop": False, "images": False})),
    _reasoner("o3-pro", "2025-06-10", _O, "medium", 1_748_475_349, **_O3, **_RESPONSES_ONLY),
    _reasoner("o3-deep-research", "2025-06-26", _O, "medium", 1_749_840_121, **_O3, **_RESPONSES_ONLY),
    _reasoner("o4-mini", "2025-04-16", _O, "medium", 1_744_225_351, **_O3),
    _reasoner("codex-mini", "2025-05-16", _O, "medium", **_O3, **_RESPONSES_ONLY),
    _chat("computer-use-preview", "2025-03-11", 1_734_655_677, context=8_192, output=1_024, lacks=(), **_RESPONSES_ONLY),
    _reasoner("gpt-5", "2025-08-07", _GPT5, "medium", 1_754_425_777),
    _reasoner("gpt-5-mini", "2025-08-07", _GPT5, "medium", 1_754_425_928),
    _reasoner("gpt-5-nano", "2025-08-07", _GPT5, "medium", 1_754_426_384),
    _latest(
        "gpt-5-chat",
        "2025-10-03",
        efforts=(),
        default_effort=None,
        created=1_754_073_306,
        versions=("2025-08-07", "2025-10-03"),
    ),
    _reasoner("gpt-5-codex", "2025-09-15", _O, "medium", **_CODER),
    _reasoner("gpt-5-pro", "2025-10-06", ("high",), "high", **_RESPONSES_ONLY),
    _reasoner("gpt-5.1", "2025-11-13", _GPT51, "none"),
    _latest("gpt-5.1-chat", "2025-11-13", versions=("2025-11-13",)),
    _reasoner("gpt-5.1-codex", "2025-11-13", _GPT51, "medium", **_CODER),
    _reasoner("gpt-5.1-codex-mini", "2025-11-13", _GPT51, "medium", **_CODER),
    _reasoner("gpt-5.1-codex-max", "2025-12-04", _CODEX, "medium", top_p=0.985, **_CODER),
    _reasoner("gpt-5.2", "2025-12-11", _GPT52, "none"),
    _latest("gpt-5.2-chat", "2026-02-10", top_p=0.85, versions=("2025-12-11", "2026-02-10")),
    _reasoner("gpt-5.2-codex", "2026-01-14", _CODEX, "medium", **_CODER),
    _latest("gpt-5.3-chat", "2026-03-03", versions=("2026-03-03",)),
    _reasoner("gpt-5.3-codex", "2026-02-24", _CODEX, "medium", **_CODER),
    _reasoner("gpt-5.4", "2026-03-05", _GPT52, "none", **_GPT54, **_LONG),
    _reasoner("gpt-5.4-pro", "2026-03-05", ("medium", "high", "xhigh"), "medium", **_GPT54, **_LONG, **_RESPONSES_ONLY),
    _reasoner("gpt-5.4-mini", "2026-03-17", _GPT52, "none", **_GPT54),
    _reasoner("gpt-5.4-nano", "2026-03-17", _GPT52, "none", **_GPT54),
    _reasoner("gpt-5.5", "2026-04-24", _GPT52, "medium", **_GPT55),
    _latest("gpt-chat-latest", "2026-05-28", snapshot="gpt-chat-latest", versions=("2026-05-05", "2026-05-28")),
    _reasoner("gpt-5.6-sol", "2026-07-09", _GPT56, "medium", **_GPT55),
    _reasoner("gpt-5.6-terra", "2026-07-09", _GPT56, "medium", **_GPT55),
    _reasoner("gpt-5.6-luna", "2026-07-09", _GPT56, "medium", **_GPT55),
    _reasoner("gpt-6-astra", "2026-09-03", _GPT56, "medium", **_GPT55),
    _reasoner("gpt-6-sol", "2026-09-22", _GPT56, "medium", **_GPT55),
    _reasoner("gpt-6-luna", "2026-09-22", _GPT56, "medium", **_GPT55),
    _of("openai", "deepseek", "gpt-oss-120b", "2025-08-05", context=131_072, output=131_072),
    _of("deepseek", "deepseek", "DeepSeek-R1", "2025-01-20"),
    _of("deepseek", "deepseek", "DeepSeek-R1-0528", "2025-05-28"),
    _of("deepseek", "deepseek", "DeepSeek-V3-0324", "2025-03-24", thinking=False),
    _of("deepseek", "deepseek", "DeepSeek-V3.1", "2025-08-21"),
    _of("deepseek", "deepseek", "DeepSeek-V3.2", "2025-12-01", output=128_000),
    _of("deepseek", "deepseek", "DeepSeek-V4-Pro", "2026-04-23", context=1_000_000, output=384_000),
    _of("deepseek", "deepseek", "DeepSeek-V4-Flash", "2026-04-23", context=1_000_000, output=384_000),
    _of("microsoft", "mai", "MAI-DS-R1", "2025-04-15"),
    _of("xai", "grok", "grok-3", "2025-05-19", context=131_072, thinking=False),
    _of("xai", "grok", "grok-3-mini", "2025-05-19", context=131_072, snapshot="grok-3-mini-high"),
    _of("xai", "grok", "grok-4", "2025-07-09", context=262_000),
    _of("xai", "grok", "grok-code-fast-1", "2025-08-28", context=256_000),
    _of("xai", "grok", "grok-4-fast-reasoning", "2025-09-19", output=128_000),
    _of("xai", "grok", "grok-4-fast-non-reasoning", "2025-09-19", output=128_000, thinking=False),
    _of("xai", "grok", "grok-4-1-fast-reasoning", "2025-11-19", output=128_000),
    _of("xai", "grok", "grok-4-1-fast-non-reasoning", "2025-11-19", output=128_000, thinking=False),
    _undated("text-embedding-ada-002", 1_671_217_299, dimensions=1_536, reported_name="ada", versions=("1", "2"), **_EMBEDDING),
    _undated("text-embedding-3-small", 1_705_948_997, dimensions=1_536, resizable=True, **_EMBEDDING),
    _undated("text-embedding-3-large", 1_705_953_180, dimensions=3_072, resizable=True, **_EMBEDDING),
    _of("cohere", "cohere", "Cohere-embed-v3-english", "2023-11-02", reported_name="embed-english-v3.0", **_COHERE),
    _of("cohere", "cohere", "Cohere-embed-v3-multilingual", "2023-11-02", reported_name="embed-multilingual-v3.0", **_COHERE),
    _of("cohere", "cohere", "embed-v-4-0", "2025-04-15", reported_name="embed-v4.0", resizable=True, **_COHERE4),
)
CATALOGUE: dict[str, Model] = {model.name: model for model in _ALL}

_FALLBACKS: dict[str, Model] = {
    "chat": CATALOGUE["gpt-4o"],
    "embedding": CATALOGUE["text-embedding-3-small"],
    "completion": CATALOGUE["gpt-35-turbo-instruct"],
}
_SHORT_NAMES = {
    "ada-002": "text-embedding-ada-002",
    "embedding-ada": "text-embedding-ada-002",
    "embedding-3-small": "text-embedding-3-small",
    "embedding-3-large": "text-embedding-3-large",
    "gpt-35": "gpt-35-turbo",
    "gpt-5.6": "gpt-5.6-sol",
}
_SHORTER_OUTPUT = {"gpt-4o-2024-05-13": 4_096}


@lru_cache(maxsize=1_024)  # by name: callers use few, and a miss searches patterns
def find(model: str) -> Model | None:
    """The model with this name, snapshot or fine-tuned model's name; None where there is none.

    A fine-tuned model, `{base}.ft-{hex}`, with a suffix or not, or a checkpoint of one, behaves like its base and answers by its
    full name (wire).
    """
    exact = CATALOGUE.get(model)
    if exact is not None:
        return exact
    tuned = re.fullmatch(r"(.+?)\.ft-[0-9a-f]+(?:-[A-Za-z0-9_-]+)?(?::ckpt-step-\d+)?", model)
    if tuned is not None:
        base = find(tuned[1])
        return base and replace(base, snapshot=model)
    return _snapshots().get(model)


@lru_cache(maxsize=4_096)  # by deployment: every call needs its model, and a miss compares with the whole catalogue
def infer(deployment: str, kind: str = "chat") -> Model:
    """The model of a `kind` (chat, embedding, completion) that a deployment of this name most likely serves.

    A name that `find` knows gives that model, whatever its kind. Else it is the longest model or snapshot name that the
    deployment's name contains, with any punctuation (`prod-gpt4o`, `gpt-4-1-mini`), else gpt-4o, text-embedding-3-small or
    gpt-35-turbo-instruct.
    """
    known = find(deployment)
    if known is not None:
        return known
    squeezed = _squeeze(deployment)
    for name, letters, model in _names():
        if letters in squeezed and model.kind == kind and re.search(_name_pattern(name), deployment, re.IGNORECASE):
            return model
    return _FALLBACKS[kind]


@cache  # a table that is built when it is first needed, like the next one
def _snapshots() -> dict[str, Model]:
    """All snapshots by name; a model's current one comes before its older versions."""
    snapshots: dict[str, Model] = {}
    for model in _ALL:
        if model.snapshot.startswith(model.name):
            snapshots[model.snapshot] = model
        for version in model.versions:
            snapshots.setdefault(f"{model.name}-{version}", _at(model, version))
    return snapshots


def _at(model: Model, version: str) -> Model:
    name = f"{model.name}-{version}"
    created = _midnight(version) if _DATE.match(version) else model.created
    return replace(model, snapshot=name, created=created, output=_SHORTER_OUTPUT.get(name, model.output))


@cache
def _names() -> list[tuple[str, str, Model]]:
    """Names, longest first, each with its letters and digits alone, and its model."""
    models = _snapshots() | CATALOGUE | {short: CATALOGUE[name] for short, name in _SHORT_NAMES.items()}
    return [(name, _squeeze(name), models[name]) for name in sorted(models, key=len, reverse=True)]


def _squeeze(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _name_pattern(name: str) -> str:
    """A pattern for a name: separators may differ or be missing, also between digits; a longer word or number is another name."""
    pattern, before = "", ""
    for part in re.findall(r"\d|[^\W\d_]+|[-.]", name):
        if part in "-." or (before.isdigit() and part.isdigit()):
            pattern += r"[-_. ]?"
        pattern, before = pattern + ("" if part in "-." else part), part
    edge = r"(?<![a-z0-9])" if name[0] == "o" else ""
    return edge + pattern + (r"(?![0-9])" if name[-1].isdigit() else r"(?![a-z])")
