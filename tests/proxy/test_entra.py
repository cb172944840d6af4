"""Entra ID at its own address, as applications find it in the environment of `mockserver run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from openai import AuthenticationError, OpenAI
from support.tokens import claims_of

from mockserver import MockServer
from mockserver.proxy.serving import Surroundings

TENANT, CLIENT = "72f988bf-86f1-41af-91ab-2d7cd011db47", "11111111-2222-4333-8444-555555555555"
SCOPE = "https://cognitiveservices.azure.com/.default"
AZURE = "https://YOUR-RESOURCE-NAME.openai.azure.com/openai/v1/"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _environment(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in around.variables("mock-key").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def identity() -> Any:
    return pytest.importorskip("azure.identity", reason="azure-identity is not installed")


def ask(provider: Any) -> str:
    with OpenAI(base_url=AZURE, api_key=provider, max_retries=0) as client:
        return client.responses.create(model="gpt-4.1-nano", input="This is a test").output_text


def test_discovery_leads_from_one_address_to_the_next() -> None:
    place = f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
    found = requests.get(place, timeout=5).json()
    assert requests.get(found["jwks_uri"], timeout=5).json()["keys"]
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": "x", "scope": SCOPE}
    token = requests.post(found["token_endpoint"], data=form, timeout=5).json()["access_token"]
    assert (claims_of(token)["tid"], claims_of(token)["appid"]) == (TENANT, CLIENT)
    assert ask(token) == "It is a test."


def test_a_secret(identity: Any, resource: MockServer) -> None:
    credential = identity.ClientSecretCredential(TENANT, CLIENT, "any secret")
    assert ask(identity.get_bearer_token_provider(credential, SCOPE)) == "It is a test."
    claims = claims_of(resource.requests[0].headers["authorization"].removeprefix("Bearer "))
    assert (claims["tid"], claims["appid"], claims["appidacr"]) == (TENANT, CLIENT, "1")


def test_a_workload_identity(identity: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("what the cluster gives its pods")
    credential = identity.WorkloadIdentityCredential(
        tenant_id=TENANT, client_id=CLIENT, token_file_path=str(tmp_path / "token")
    )
    assert ask(identity.get_bearer_token_provider(credential, SCOPE)) == "It is a test."


def test_the_default_credential(identity: Any) -> None:
    assert ask(identity.get_bearer_token_provider(identity.DefaultAzureCredential(), SCOPE)) == "It is a test."


@pytest.mark.parametrize("resource", [MockServer({"resource": {"identity": {"roles": ["Reader"]}}})])
def test_a_role_that_does_not_suffice(identity: Any, resource: MockServer) -> None:
    with pytest.raises(AuthenticationError, match="lacks the required data action"):
        ask(identity.get_bearer_token_provider(identity.DefaultAzureCredential(), SCOPE))


@pytest.mark.parametrize("resource", [MockServer({"resource": {"identity": {"refuse": "invalid_client"}}})])
def test_a_wrong_secret(identity: Any, resource: MockServer) -> None:
    with pytest.raises(Exception, match="AADSTS7000215"):
        identity.ClientSecretCredential(TENANT, CLIENT, "wrong").get_token(SCOPE)


@pytest.mark.parametrize("resource", [MockServer({"resource": {"identity": {"tenant": TENANT}}})])
def test_a_tenant_that_does_not_exist(identity: Any, resource: MockServer) -> None:
    with pytest.raises(Exception, match="AADSTS90002"):
        identity.ClientSecretCredential("00000000-0000-0000-0000-000000000001", CLIENT, "x").get_token(SCOPE)
