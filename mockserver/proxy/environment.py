"""The environment of a program that runs against the mock: it leads every client there, and changes nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mockserver.proxy.hosts import allowed_pattern, azure_pattern
from mockserver.proxy.trust import STORE_PASSWORD, VARIABLES
from mockserver.server.variables import UNSET, for_every_client, for_openai

LOCAL = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the mock is: its `endpoint` (scheme, host and port), the ports of the proxy and of TLS, the two files of whom to
    trust, and the further hosts that may be reached."""

    endpoint: str
    proxy_port: int
    tls_port: int
    bundle: Path
    java_store: Path
    allowed: Collection[str] = ()


def variables(place: Place, key: str, before: Mapping[str, str], client: str | None = None) -> dict[str, str]:
    """What a program's environment gets; `before` is what it had, of which some is added to.

    `client` "azure" leaves out what is for the client `OpenAI` alone, at which Node's `AzureOpenAI` stumbles.
    """
    proxy = f"http://127.0.0.1:{place.proxy_port}"
    skipped = for_openai(place.endpoint, key) if client == "azure" else {}
    return {
        **{name: value for name, value in for_every_client(place.endpoint, key).items() if name not in skipped},
        "OPENAI_API_TYPE": before.get("OPENAI_API_TYPE", "openai"),  # the module `openai` refuses to guess between its clients
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "NO_PROXY": LOCAL,
        "no_proxy": LOCAL,
        **dict.fromkeys(VARIABLES, str(place.bundle)),
        **_for_node(place, before),
        "JAVA_TOOL_OPTIONS": " ".join(filter(None, [before.get("JAVA_TOOL_OPTIONS"), *_java_options(place)])),
    }


def changed(before: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """An environment with these values, and without others that select an endpoint or a credential."""
    selecting = {*UNSET, *for_every_client("", "")}
    return {name: value for name, value in before.items() if name not in selecting} | dict(values)


def _for_node(place: Place, before: Mapping[str, str]) -> dict[str, str]:
    """The switch by which Node heeds the proxy, and a module for those versions that lack it."""
    path = str(Path(__file__).with_name("node.cjs")).replace("\\", "\\\\").replace('"', '\\"')
    return {
        "NODE_USE_ENV_PROXY": "1",
        "NODE_OPTIONS": " ".join(filter(None, [before.get("NODE_OPTIONS"), f'--require "{path}"'])),
        "MOCKSERVER_TLS_PORT": str(place.tls_port),
        "MOCKSERVER_HOSTS": azure_pattern(),
        "MOCKSERVER_ALLOWED": allowed_pattern(place.allowed),
    }


def _java_options(place: Place) -> list[str]:
    options = {
        "https.proxyHost": "127.0.0.1",
        "https.proxyPort": str(place.proxy_port),
        "http.nonProxyHosts": "localhost|127.*|[::1]",
        "javax.net.ssl.trustStore": str(place.java_store),
        "javax.net.ssl.trustStoreType": "PKCS12",
        "javax.net.ssl.trustStorePassword": STORE_PASSWORD,
    }
    # Java splits the variable at blanks, and takes quotes.
    return [f'"-D{name}={value}"' if " " in value else f"-D{name}={value}" for name, value in options.items()]
