"""Whether a request can come from a page of somewhere else that a browser shows: by the headers Host and Origin.

A browser sends what any page asks of it to a server on this machine too. The page cannot read an answer from another origin,
but it can send: so what names a foreign Origin is refused. A page whose own name is pointed at this machine afterwards (DNS
rebinding) has the same origin as the server, and could read too: but it needs a name that can be registered, so those are
refused as Host. What no page can have are addresses, names without a dot, as compose and Kubernetes give, and names below what
is reserved for one machine or one network.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from mockserver.errors import ApiError, gateway_error
from mockserver.resource.resources import HOSTS

_AUTHORITY = re.compile(r"(\[[0-9a-f:.%]*\]|[^:\[\]]*)(?::\d*)?")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[.*\]")
_LOOPBACK = re.compile(r"127(?:\.[0-9]{1,3}){3}|\[::1\]|localhost|.*\.localhost")
_RESERVED = (
    ".localhost",
    ".local",
    ".internal",
    ".test",
)  # RFC 6761, RFC 6762, ICANN 2024: nobody can register a name below them
EVERY = "*"


def check(headers: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raise ApiError 403 for a Host that can be anybody's, and for an Origin that is neither this server nor this machine.

    `allowed` are further names: `example.com`, `*.example.com` for all below it, `*` for all. Clients that are no browsers send
    no Origin, and those without a Host are none either.
    """
    host, origin = _name(headers.get("host", "")), headers.get("origin")
    if host and not (_is_private(host) or _is_allowed(host, allowed)):
        raise _foreign("Host", host)
    if origin is None:
        return
    page = _origin_name(origin)
    if not page or not (page == host or _LOOPBACK.fullmatch(page) or _is_allowed(page, allowed)):
        raise _foreign("Origin", origin)


def _foreign(header: str, value: str) -> ApiError:
    """A request that a foreign page may have sent. Azure never sends it: it is ours."""
    message = f"mockserver: refused because of the header {header}: {value[:100]!r}. Allow it with the setting `allowed_hosts`."
    return gateway_error(403, "Forbidden", message)


def _name(authority: str) -> str:
    """The host of `host:port`, in lower case; an impossible one as it is, so that it is in no list."""
    text = authority.strip().lower()
    found = _AUTHORITY.fullmatch(text)
    return found[1].rstrip(".") if found else text


def _origin_name(origin: str) -> str:
    """The host of an origin; "" for `null`, which sandboxed pages and local files have, and for what is none of the web's."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return _name(parts.netloc) if parts.scheme in ("http", "https") else ""


def _is_private(host: str) -> bool:
    return "." not in host or bool(_ADDRESS.fullmatch(host)) or host.endswith((*_RESERVED, *HOSTS))


def _is_allowed(host: str, allowed: Collection[str]) -> bool:
    return any(one in (EVERY, host) or (one.startswith("*.") and host.endswith(one[1:])) for one in map(str.lower, allowed))
