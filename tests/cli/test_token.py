"""The command that prints a token of a running server."""

from __future__ import annotations

import httpx2
import pytest
from click.testing import CliRunner, Result
from support.tokens import claims_of

from mockserver import MockServer
from mockserver.cli.main import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["token", *arguments])


def test_what_is_printed_opens_the_resource(http: httpx2.Client, mock: MockServer) -> None:
    result = run("--url", mock.endpoint)
    assert result.exit_code == 0
    headers = {"authorization": f"Bearer {result.stdout.strip()}"}
    assert http.get(mock.base_url + "models", headers=headers).status_code == 200


def test_options_are_claims(mock: MockServer) -> None:
    options = ["--role", "reader", "--role", "Azure AI User", "--expires-in", "2m", "--audience", "https://ai.azure.com"]
    result = run("--url", mock.endpoint, *options, "--tenant", "contoso", "--client", "app")
    claims = claims_of(result.stdout.strip())
    assert claims["roles"] == ["Reader", "Azure AI User"]
    assert claims["exp"] - claims["iat"] == 120
    assert (claims["aud"], claims["tid"], claims["appid"]) == ("https://ai.azure.com", "contoso", "app")


def test_a_resource_is_chosen_by_name_or_by_key(http: httpx2.Client) -> None:
    scenarios = [{"resource": {"name": name, "keys": [f"{name}-key"]}} for name in ("one", "two")]
    with MockServer(scenarios) as mock:
        for options, name in ((["--resource", "two"], "two"), (["--key", "two-key"], "two"), ([], "one")):
            assert claims_of(run("--url", mock.endpoint, *options).stdout)["mockserver_resource"] == name
        refused = run("--url", mock.endpoint, "--key", "two-key", "--resource", "one")
        assert (refused.exit_code, "there is no resource 'one'" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--role", "Emperor"], "Invalid value for '--role'"),
        (["--expires-in", "soon"], "'soon' is not a duration"),
        (["--url", "http://127.0.0.1:9"], "cannot be reached"),
        (["--url", "nowhere"], "is not a URL"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
