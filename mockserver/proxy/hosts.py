"""Which hosts the proxy leads to the mock, and which others it may connect to."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

from mockserver.resource.resources import HOSTS

LOGIN = "login.microsoftonline.com"


def is_azure(host: str) -> bool:
    """Whether the mock answers for this host: a resource's name below Azure's three suffixes, or Entra ID's."""
    return host == LOGIN or any(host.endswith(suffix) and host != suffix for suffix in HOSTS)


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Whether a host is among `allowed`: names, or patterns such as `*.example.com`."""
    return any(fnmatchcase(host, one.lower()) for one in allowed)


def azure_pattern() -> str:
    """The same as `is_azure`, as a regular expression of JavaScript's."""
    return "|".join([re.escape(LOGIN), *(f".+{re.escape(suffix)}" for suffix in HOSTS)])


def allowed_pattern(allowed: Collection[str]) -> str:
    """The same as `is_allowed`, as a regular expression of JavaScript's; this machine is allowed there, as no proxy is in between."""
    stars = [".*".join(map(re.escape, one.split("*"))) for one in (*allowed, "localhost", "127.*", "::1")]
    return "|".join(stars)
