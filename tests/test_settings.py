"""Settings: declared once, the same wherever they are set, and chosen in one order."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from support.tokens import key_set

from mockserver import MockServer, ScenarioError, create_app
from mockserver.cli import serve
from mockserver.cli.main import main
from mockserver.cli.options import overrides
from mockserver.resource.build import load_scenarios
from mockserver.scenario.schema import json_schema
from mockserver.settings import REFUSALS, SETTINGS, Setting, check, default_text, resolve
from mockserver.testing.options import OPTIONS

ROOT = Path(__file__).parent.parent
# A value that is no default, as text and as it is kept.
SAMPLES: Mapping[str, tuple[str, Any]] = {
    "flag": ("", None),
    "text": ("Norway East", "Norway East"),
    "seed": ("dice", "dice"),
    "count": ("5", 5),
    "size": ("2 MiB", 2 * 1024 * 1024),
    "names": ("my-key", ("my-key",)),
    "file": ("my.state", "my.state"),
    "models": ("mine=gpt-4.1", {"mine": "gpt-4.1"}),
}


def sample(setting: Setting) -> tuple[str, Any]:
    if setting.kind.name == "flag":
        value = not SETTINGS[setting.alias_of or setting.name].default
        return str(value).lower(), value
    if setting.choices:
        last = setting.choices[-1]
        return (last, (last,)) if setting.kind.name == "names" else (last, last)
    return SAMPLES[setting.kind.name]


def at(surface: str) -> list[Any]:
    return [pytest.param(setting, id=name) for name, setting in SETTINGS.items() if surface in setting.at]


def served(arguments: list[str], scenario: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What `mockserver serve` hands to its resource for these arguments, this environment and this scenario."""
    context = serve.command.make_context("serve", arguments)
    return resolve(overrides(context.params), build_scenario(scenario).settings if scenario else {})


def build_scenario(document: Mapping[str, Any]) -> Any:
    return load_scenarios([document])[0]


def flag(setting: Setting) -> list[str]:
    text, value = sample(setting)
    if setting.kind.name == "flag":
        return [f"--{setting.option}" if value else f"--no-{setting.option}"]
    return [f"--{setting.option}", text]


# -- everywhere the same


@pytest.mark.parametrize("setting", at("serve"))
def test_a_flag_of_serve_sets_it(setting: Setting) -> None:
    assert served(flag(setting))[setting.alias_of or setting.name] == sample(setting)[1]


@pytest.mark.parametrize("setting", at("serve"))
def test_a_variable_sets_it(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(setting.variable, sample(setting)[0])
    assert served([])[setting.alias_of or setting.name] == sample(setting)[1]


@pytest.mark.parametrize("setting", at("file"))
def test_a_scenario_file_sets_it(setting: Setting) -> None:
    text, value = sample(setting)
    written = list(value) if setting.kind.name == "names" else text if setting.kind.name == "size" else value
    scenario = build_scenario({"resource": {setting.name: written}})
    found = {**scenario.settings, "keys": scenario.keys}
    assert found[setting.alias_of or setting.name] == value


@pytest.mark.parametrize("setting", at("python"))
def test_a_keyword_sets_it(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, value = sample(setting)
    if setting.name == "jwks":
        Path(value).write_text(key_set("one"))  # which is read at once
    keyword: Any = {setting.name: text if setting.name == "key" else value}
    resource = create_app(**keyword).state.resources.default
    assert {**resource.settings, "keys": resource.keys}[setting.alias_of or setting.name] == value


def test_what_no_one_sets_has_its_default() -> None:
    assert served([]) == {name: setting.default for name, setting in SETTINGS.items() if not setting.alias_of}


# -- who wins


def test_a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = {"resource": {"region": "file", "journal_limit": 2, "profile": "2026-03"}}
    monkeypatch.setenv("MOCKSERVER_REGION", "environment")
    monkeypatch.setenv("MOCKSERVER_JOURNAL_LIMIT", "3")
    values = served(["--region", "flag"], scenario)
    assert (values["region"], values["journal_limit"], values["profile"], values["seed"]) == ("flag", 3, "2026-03", 0)


def test_a_keyword_wins_over_the_file_and_no_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKSERVER_REGION", "environment")
    with MockServer({"resource": {"region": "file", "strict": True}}, strict=False) as mock:
        assert (mock.resource.region, mock.script.strict) == ("file", False)


def test_none_leaves_a_setting_to_the_file() -> None:
    with MockServer({"resource": {"region": "file"}}, region=None) as mock:
        assert mock.resource.region == "file"


def test_keys_win_over_key_and_none_among_them_turns_checks_off() -> None:
    with MockServer(key="one", keys=["two", "three"]) as mock:
        assert mock.resource.keys == ("two", "three")
    for settings in ({"key": "none"}, {"keys": []}, {"keys": ["a", "none"]}):
        with MockServer(**settings) as mock:
            assert mock.resource.open


# -- the deprecated name


def test_the_old_name_of_legacy_api_still_works_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served(["--no-dated"])["legacy_api"] is False
    monkeypatch.setenv("MOCKSERVER_DATED", "off")
    assert served([])["legacy_api"] is False
    assert build_scenario({"resource": {"dated": False}}).settings == {"legacy_api": False}
    with MockServer(dated=False) as mock:
        assert mock.resource.legacy_api is False


def test_the_new_name_wins_over_the_old_one() -> None:
    assert served(["--legacy-api", "--no-dated"])["legacy_api"] is True
    assert check({"dated": False, "legacy_api": True}) == {"legacy_api": True}


def test_the_old_name_is_not_advertised() -> None:
    assert "--dated" not in CliRunner().invoke(main, ["serve", "--help"]).stdout
    assert "dated" not in inspect.signature(create_app).parameters


# -- mistakes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strct": True}, "there is no setting 'strct'; did you mean 'strict'?"),
        ({"whatever": 1}, "there is no setting 'whatever'; expected one of keys, key, "),
        ({"strict": "yes"}, "strict='yes': expected True or False"),
        ({"profile": "1999"}, "profile='1999': expected '2026-01' or '2026-03'"),
        ({"allow": ["parallel_tool_call"]}, "; did you mean 'parallel_tool_calls'?"),
        ({"seed": 1.5}, "seed=1.5: expected a whole number or text"),
        ({"journal_limit": 0}, "journal_limit=0: expected a whole number above 0"),
        ({"journal_limit": True}, "journal_limit=True: expected a whole number above 0"),
        ({"body_limit": "64 MB"}, "body_limit='64 MB': expected a number of bytes, such as 1048576 or '1 MiB'"),
        ({"deployments": ["mine"]}, "expected a mapping of deployments to models"),
        ({"keys": [1]}, "expected text or a list of texts"),
        ({"key": ["a"]}, "key=['a']: expected text"),
    ],
)
def test_a_wrong_keyword_names_what_is_expected(settings: dict[str, Any], message: str) -> None:
    for call in (create_app, MockServer):
        with pytest.raises(TypeError) as caught:
            call(**settings)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--journal-limit", "many"], "'many' is not a whole number above 0."),
        (["--store-bytes", "-1"], "'-1' is not a number of bytes, such as 1048576 or '1 MiB'."),
        (["--deployment", "mine"], "'mine' is not NAME=MODEL."),
        (["--journal-limt", "1"], "Did you mean"),
    ],
)
def test_a_wrong_flag_names_what_is_expected(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ({"journal_bytes": "a lot"}, "resource.journal_bytes: expected a number of bytes such as 1048576 or 64 MiB"),
        ({"journal_limit": 0}, "resource.journal_limit: must be at least 1, got 0"),
        ({"allow": ["verbose"]}, "resource.allow[0]: there is no 'verbose'; did you mean 'verbosity'?"),
        ({"journal_limt": 5}, "resource.journal_limt: unknown key; did you mean 'journal_limit'?"),
    ],
)
def test_a_wrong_key_in_a_file_names_what_is_expected(resource: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match="<dict>") as caught:
        build_scenario({"resource": resource})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "number"), [(1, 1), ("1", 1), ("2 B", 2), ("1KiB", 1024), ("3 mib", 3 * 1024**2), (" 2GiB ", 2 * 1024**3)]
)
def test_sizes_are_numbers_of_bytes_or_text_with_a_unit(text: Any, number: int) -> None:
    assert check({"body_limit": text}) == {"body_limit": number}


# -- the table and what is made from it


@pytest.mark.parametrize("function", [create_app, MockServer, MockServer.mint])
def test_signatures_list_the_settings(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    advertised = [name for name, setting in SETTINGS.items() if not setting.deprecated]
    assert [name for name in parameters if name in SETTINGS] == advertised
    assert not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    assert parameters["strict"].annotation == bool | None


def test_the_schema_lists_the_settings_of_files() -> None:
    properties = json_schema()["$defs"]["ResourceSection"]["properties"]
    assert set(properties) == {name for name, setting in SETTINGS.items() if "file" in setting.at} | {
        "name",
        "lifecycle",
        "identity",
    }
    assert {name for name, one in properties.items() if one.get("deprecated")} == {"dated"}
    assert properties["allow"]["items"]["enum"] == list(REFUSALS)
    assert properties["profile"]["enum"] == ["2026-01", "2026-03"]
    assert all(properties[setting.name]["description"] == setting.help for setting in SETTINGS.values() if "file" in setting.at)


def test_the_options_of_the_pytest_fixtures_include_every_setting() -> None:
    assert {name: one for name, one in SETTINGS.items() if name != "allow"}.items() <= OPTIONS.items()
    assert "allow" in OPTIONS  # which takes hosts too


def test_the_page_of_settings_is_the_table() -> None:
    assert (ROOT / "docs/settings.md").read_text() == CliRunner().invoke(main, ["settings", "--markdown"]).stdout


def test_the_command_lists_every_setting_with_its_default() -> None:
    lines = CliRunner().invoke(main, ["settings"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [name for name, setting in SETTINGS.items() if not setting.deprecated]
    assert all(default_text(SETTINGS[line.split()[0]]) in line for line in lines)


# -- what they do


def test_the_journal_keeps_as_many_exchanges_as_the_file_allows(http: httpx2.Client) -> None:
    with MockServer({"resource": {"journal_limit": 1}}) as mock:
        for _ in range(3):
            http.get(mock.base_url + "models", headers={"api-key": mock.api_key})
        assert [exchange.number for exchange in mock.requests] == [3]


def test_the_journal_keeps_as_many_bytes_as_it_may(http: httpx2.Client) -> None:
    with MockServer(journal_bytes="64 KiB") as mock:
        for _ in range(10):
            http.post(mock.base_url + "responses", content=b" " * 8_000, headers={"api-key": mock.api_key})
        assert 0 < len(mock.requests) < 10


@pytest.mark.parametrize("limit", [{"store_documents": 1}, {"store_bytes": "6 KiB"}])
def test_the_store_keeps_as_much_as_it_may(http: httpx2.Client, limit: dict[str, Any]) -> None:
    body = {"model": "gpt-4.1-nano", "input": "hi"}
    with MockServer({"resource": limit}) as mock:
        answers = [http.post(mock.base_url + "responses", json=body, headers={"api-key": mock.api_key}) for _ in range(5)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 507
    assert next(iter(limit)) in answers[-1].text


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused(http: httpx2.Client, *, chunked: bool) -> None:
    body = json.dumps({"model": "gpt-4o", "input": "x" * 2_000}).encode()
    with MockServer(body_limit="1 KiB") as mock:
        answer = http.post(
            mock.base_url + "responses", content=iter([body]) if chunked else body, headers={"api-key": mock.api_key}
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "RequestEntityTooLarge")
    assert "The limit is 1024 bytes." in answer.json()["error"]["message"]
