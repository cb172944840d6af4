"""Every setting, declared once. Its line in `Settings` is all that a new one takes; whoever acts on it reads `resolve(…)[name]`.

From the table come the flags of `mockserver serve` and their variables `MOCKSERVER_…`, the keys below `resource:` in scenario
files and their JSON Schema, the keywords of `create_app` and `MockServer`, the options of pytest's marker and their ini keys,
and the page docs/settings.md. It stands below the scenario format, which is built from it, and imports nothing of the package:
the pytest plugin loads it in every run.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, TypeVar, get_args, get_type_hints

Surface = Literal["serve", "file", "python", "ini", "pytest"]
Function = TypeVar("Function", bound=Callable[..., Any])

# The preview profiles, and the headers that each does not require any more. `2026-01` is Microsoft's lifecycle page of January
# 2026; `2026-03` follows the official document of March 2026, where evals left preview.
PROFILES: Mapping[str, frozenset[str]] = {"2026-01": frozenset(), "2026-03": frozenset({"aoai-evals"})}
Refusal = Literal[
    "api_versions",
    "audio_input",
    "chat_operation",
    "effort_with_tools",
    "encrypted_content",
    "file_data",
    "file_parts",
    "function_schemas",
    "hosted_tools",
    "image_data",
    "image_input",
    "item_ids",
    "minimal_with_tools",
    "parallel_tool_calls",
    "reasoning_efforts",
    "sampling_parameters",
    "system_messages",
    "tools",
    "verbosity",
]
"""What the service refuses today and may take tomorrow, by name; docs/fidelity.md says what each is and how it is known."""
REFUSALS: tuple[Refusal, ...] = get_args(Refusal)
NO_KEYS = "none"  # in place of a key, turns key checks off
MIB = 1024 * 1024
GIB = 1024 * MIB
_SCALES = {"GiB": GIB, "MiB": MIB, "KiB": 1024, "B": 1}
_SIZE = re.compile(r"(\d{1,15})\s*(|B|KiB|MiB|GiB)", re.IGNORECASE)


class Kind(NamedTuple):
    """A type of values, with `expected` for messages. `convert` checks a Python value and raises TypeError or ValueError.

    `read` makes a Python value of the text that a variable or an ini file holds.
    """

    name: Literal["flag", "text", "seed", "count", "size", "names", "models", "time", "hosts", "file"]
    expected: str
    convert: Callable[[Any], Any]
    read: Callable[[str], Any] = str


def _exactly(*types: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        # True and False are whole numbers to Python.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise TypeError
        return value

    return convert


_text = _exactly(str)
TEXT = Kind("text", "text", _text)


class Setting(NamedTuple):
    """What is true of one setting wherever it can be set.

    `at` lists where that is: a flag and a variable of `serve`, a scenario file, a keyword and the marker in Python, pytest's ini
    file, a flag of pytest. `flag` is its name on the command line where that differs. An `alias_of` another setting is one more
    name for it; a `deprecated` one is not advertised. `name` and `kind` are filled in by `declarations`.
    """

    default: Any = None
    help: str = ""
    at: tuple[Surface, ...] = ("serve", "file", "python", "ini")
    choices: tuple[str, ...] = ()
    flag: str = ""
    alias_of: str = ""
    deprecated: bool = False
    name: str = ""
    kind: Kind = TEXT

    @property
    def expected(self) -> str:
        """What its values are, for messages."""
        return " or ".join(map(repr, self.choices)) if self.choices else self.kind.expected

    def convert(self, value: object) -> Any:
        """A value as it is kept. Raises ValueError with what is expected in its place."""
        try:
            converted = self.kind.convert(value)
        except (TypeError, ValueError):
            raise ValueError(self.expected) from None
        chosen = converted if isinstance(converted, tuple) else (converted,)
        wrong = [one for one in chosen if self.choices and one not in self.choices]
        if wrong:
            raise ValueError(f"{self.expected}{_nearest(wrong[0], self.choices)}")
        return converted

    @property
    def option(self) -> str:
        """Its name on the command line, without dashes in front."""
        return (self.flag or self.name).replace("_", "-")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"MOCKSERVER_{(self.flag or self.name).upper()}"


def _nearest(name: str, choices: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError
    return value


def size(value: Any) -> int:
    """A number of bytes, from a whole number or from text such as `64 MiB`. Raises TypeError or ValueError."""
    if not isinstance(value, str):
        return _count(value)
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise ValueError
    scale = next(scale for unit, scale in _SCALES.items() if unit.lower() == (found[2] or "B").lower())
    return _count(int(found[1]) * scale)


def names(value: Any) -> tuple[str, ...]:
    """Several names, from one or a list of them. Raises TypeError."""
    several = (value,) if isinstance(value, str) else value
    if not isinstance(several, (list, tuple, set, frozenset)) or not all(isinstance(name, str) for name in several):
        raise TypeError
    return tuple(several)


def _models(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise TypeError
    return dict(value)


def _path(value: Any) -> str:
    path = os.fspath(value)
    if not isinstance(path, str) or not path:
        raise TypeError
    return path


Flag = Annotated[bool | None, Kind("flag", "True or False", _exactly(bool))]
Text = Annotated[str | None, TEXT]
File = Annotated[str | os.PathLike[str] | None, Kind("file", "a path", _path)]
Seed = Annotated[int | str | None, Kind("seed", "a whole number or text", _exactly(int, str))]
Count = Annotated[int | None, Kind("count", "a whole number above 0", _count, int)]
Size = Annotated[int | str | None, Kind("size", "a number of bytes, such as 1048576 or '1 MiB'", size)]
Keys = Annotated[str | Sequence[str] | None, Kind("names", "text or a list of texts", names)]
Key = Annotated[str | None, Kind("names", "text", lambda value: names(_text(value)))]
Models = Annotated[Mapping[str, str] | None, Kind("models", "a mapping of deployments to models", _models)]


class Settings(TypedDict, total=False):
    """Settings as keywords. Those that are absent or None are left to the scenario file, and then to the default."""

    keys: Annotated[
        Keys,
        Setting(
            ("mock-key",),
            "The API keys that are accepted; 'none' accepts every credential.",
            ("serve", "file", "python"),
            flag="key",
        ),
    ]
    key: Annotated[Key, Setting(help="One API key, in place of `keys`.", at=("python",), alias_of="keys")]
    deployments: Annotated[
        Models,
        Setting(
            (),
            "The deployments and their models. Once there are any, other names are unknown.",
            ("serve", "python"),
            flag="deployment",
        ),
    ]
    strict: Annotated[
        Flag,
        Setting(
            False,
            "Whether calls that no rule answers are refused instead of improvised.",
            ("serve", "file", "python", "ini", "pytest"),
        ),
    ]
    profile: Annotated[Text, Setting("2026-01", "Which of the service's preview rules apply.", choices=tuple(PROFILES))]
    allow: Annotated[
        Keys,
        Setting(
            (),
            "Refusals that are let through, by name. The service changes its mind about what its models can do.",
            choices=REFUSALS,
        ),
    ]
    region: Annotated[Text, Setting("East US 2", "The region in headers and error messages.")]
    seed: Annotated[
        Seed,
        Setting(0, "The seed of ids, words and vectors: a number or text.", ("serve", "file", "python", "ini", "pytest")),
    ]
    legacy_api: Annotated[Flag, Setting(True, "Whether the older client's paths, `/openai/deployments/…`, are answered.")]
    dated: Annotated[Flag, Setting(help="The old name of legacy_api.", alias_of="legacy_api", deprecated=True)]
    state: Annotated[
        File,
        Setting(
            help="The file in which stored objects survive; without one they are kept in memory. `mockserver state` reads it too.",
            at=("serve", "file", "python"),
        ),
    ]
    jwks: Annotated[
        File,
        Setting(
            help="A file with the public keys (a JWK Set) that have to have signed tokens, but for those that are issued here.",
            at=("serve", "file", "python"),
        ),
    ]
    # Not for scenario files, which may be a stranger's.
    python_graders: Annotated[
        Flag,
        Setting(
            False,
            "Whether Python graders are run, in a process of their own: trust whoever can send them.",
            ("serve", "python", "ini"),
        ),
    ]
    grader_hosts: Annotated[
        Keys,
        Setting((), "The hosts that endpoint graders may call.", ("serve", "python"), flag="grader_host"),
    ]
    journal_limit: Annotated[Count, Setting(1_000, "How many exchanges the journal keeps.")]
    journal_bytes: Annotated[Size, Setting(64 * MIB, "How many bytes of bodies the journal keeps.")]
    store_documents: Annotated[Count, Setting(500_000, "How many documents can be stored; an object is one or more.")]
    store_bytes: Annotated[Size, Setting(GIB, "How many bytes stored objects and files may take.")]
    allowed_hosts: Annotated[
        Keys,
        Setting(
            (),
            "Further names that Host and Origin may have: `example.com`, `*.example.com`, or `*` for all.",
            ("serve", "file", "python"),
            flag="allowed_host",
        ),
    ]
    # A file may have 512 MiB, and the form around it takes some more.
    body_limit: Annotated[Size, Setting(513 * MIB, "How many bytes a request's body may have.")]


def declarations(table: Any) -> dict[str, Setting]:
    """The settings that a TypedDict of them declares, by name."""
    hints = get_type_hints(table, include_extras=True)
    return {name: _complete(name, *hint.__metadata__) for name, hint in hints.items()}


def _complete(name: str, kind: Kind, setting: Setting) -> Setting:
    return setting._replace(name=name, kind=kind)


def default_text(setting: Setting) -> str:
    """A setting's default as people write it: `on`, `64 MiB`, `mock-key`; "" where there is none."""
    default = setting.default
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return ", ".join(default)
    if setting.kind.name != "size":
        return "" if default is None else str(default)
    unit = next(name for name, scale in _SCALES.items() if default % scale == 0)
    return f"{default // _SCALES[unit]} {unit}"


def list_settings(function: Function) -> Function:
    """Have `help` and `inspect.signature` list the settings that a function takes as `**settings: Unpack[Settings]`."""
    from inspect import Parameter, signature

    own = signature(function)
    *others, _ = own.parameters.values()
    types = get_type_hints(Settings)
    keywords = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=types[name])
        for name, setting in SETTINGS.items()
        if not setting.deprecated
    ]
    function.__signature__ = own.replace(parameters=[*others, *keywords])  # type: ignore[attr-defined]
    return function


SETTINGS: Mapping[str, Setting] = declarations(Settings)
_DEFAULTS = {name: setting.default for name, setting in SETTINGS.items() if not setting.alias_of}


def check(values: Mapping[str, Any], table: Mapping[str, Setting] = SETTINGS) -> dict[str, Any]:
    """A caller's values as they are kept: without None, and with aliases under their settings' names.

    Raises TypeError for a name that does not exist, with the nearest one, and for a value that does not fit.
    """
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in table:
            raise TypeError(f"there is no setting {name!r}; {_suggestion(name, table)}")
        setting = table[name]
        if value is None or (setting.alias_of and values.get(setting.alias_of) is not None):
            continue
        try:
            checked[setting.alias_of or name] = setting.convert(value)
        except ValueError as error:
            raise TypeError(f"{name}={value!r:.60}: expected {error}") from None
    return checked


def resolve(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting's value, by the first of `layers` that has it, else by default.

    The layers are, from the strongest: the caller's settings (a flag before its variable, or a keyword), then the scenario file's.
    Each has passed `check`.
    """
    values = dict(_DEFAULTS)
    for layer in reversed(layers):
        values |= layer
    return values


def _suggestion(name: str, table: Mapping[str, Setting]) -> str:
    from difflib import get_close_matches

    known = [one for one, setting in table.items() if not setting.deprecated]
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
