"""The hosts of the real services, which the guard blocks and interception answers."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from mockserver.resource.resources import HOSTS

AZURE = (
    *HOSTS,
    ".api.cognitive.microsoft.com",
    ".openai.azure.us",
    ".services.ai.azure.us",
    ".cognitiveservices.azure.us",
)
OPENAI = "api.openai.com"
ENTRA = frozenset(
    {
        "login.microsoft.com",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.windows.net",
        "sts.windows.net",
    }
)


def normalized(host: object) -> str:
    """A host name as these functions expect it: lower case, without a final dot; "" for anything else."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("latin-1")
    return host.lower().rstrip(".") if isinstance(host, str) else ""


def serves_models(host: str) -> bool:
    """Whether this is a real host of Azure OpenAI, Foundry or OpenAI."""
    return host.endswith(AZURE) or host == OPENAI or host.endswith(f".{OPENAI}")


def issues_tokens(host: str) -> bool:
    """Whether this is a real host of Entra ID."""
    return host in ENTRA


def matches(host: str, names: Sequence[str]) -> bool:
    """Whether one of `names` is this host's name, a pattern such as `*.openai.azure.com`, or its resource's bare name."""
    resource = host.partition(".")[0] if host.endswith(AZURE) else None
    return any(name == resource or fnmatchcase(host, name) for name in map(normalized, names))
