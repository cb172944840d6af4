"""The network guard: blocks this process's calls to the real Azure and OpenAI before anything is sent, whatever the library.

It watches where names are looked up and sockets connected (Python's audit events), and where a TLS handshake with a host
begins; the latter covers libraries that look up names themselves, have the address already, or go through a proxy. Not
covered: connections that were open before, libraries with a network stack of their own, and other processes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from mockserver.testing import hosts, origin
from mockserver.testing.patches import Patches

ENTRA = "entra"


class NetworkGuardError(BaseException):
    """A call to a real host was blocked.

    Like pytest's own failures it is no Exception, so that libraries neither retry it nor replace it by their own errors.
    """


class HandshakeStoppedError(ConnectionError):
    """The same for TLS on an event loop such as uvloop's, which starts TLS in a callback and passes on Exceptions only."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A blocked call to `host`. `url` is as much of its URL as is known, `where` the line of the user's code, "" if unknown."""

    host: str
    url: str
    where: str

    def __str__(self) -> str:
        caller = f" (from {self.where})" if self.where else ""
        if hosts.issues_tokens(self.host):
            blocked = "a token request to Entra ID"
            advice = (
                "Give the client a key, or a credential that reads IDENTITY_ENDPOINT, as DefaultAzureCredential does, or allow "
                f"token requests with allow={[ENTRA]!r}."
            )
        else:
            blocked = "a call to the real service"
            advice = (
                "Let the code read OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT instead of a fixed host, answer the call here with "
                f"intercept(), or allow it with allow={[self.host]!r}."
            )
        return f"mockserver blocked {blocked}: {self.url}{caller}. Nothing was sent. {advice}"


class Guard:
    """Blocks calls to real hosts while it is entered; `attempts` are those that it blocked.

    `allow` names hosts that may be called: by name, by pattern, by a resource's bare name, or "entra" for all token endpoints.
    Guards nest; the innermost decides.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.allow = (allow,) if isinstance(allow, str) else tuple(allow)
        self.attempts: list[Attempt] = []

    def check(self) -> None:
        """Raise AssertionError if a call was blocked, even if the code under test swallowed the error."""
        if self.attempts:
            raise AssertionError("\n\n".join(dict.fromkeys(map(str, self.attempts))))

    def block(self, host: str) -> Attempt | None:
        """Record a call to `host` and return it, to be raised; None where it is allowed."""
        token = hosts.issues_tokens(host)
        real = token or hosts.serves_models(host)
        if not real or hosts.matches(host, self.allow) or (token and ENTRA in self.allow):
            return None
        url, where = origin.trace(host)
        attempt = Attempt(host, url or host, where)
        self.attempts.append(attempt)
        return attempt

    def __enter__(self) -> Self:
        if not _guards:
            _install()
        _guards.append(self)
        return self

    def __exit__(self, *raised: object) -> None:
        _guards.remove(self)
        if not _guards:
            _patches.restore()


def guard(allow: Iterable[str] = ()) -> Guard:
    """A guard to enter: `with guard(allow=["my-real.openai.azure.com"]) as watched: …`. See `Guard`."""
    return Guard(allow)


_guards: list[Guard] = []
_patches = Patches()
_hooked = False
# Audit events, and where in their arguments the host is.
_HOST_ARGUMENT = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.connect": 1}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _guards and event in _HOST_ARGUMENT:
        address = arguments[_HOST_ARGUMENT[event]]
        attempt = _block(address[0] if isinstance(address, tuple) and address else address)
        if attempt is not None:
            raise NetworkGuardError(str(attempt))


def _block(host: object) -> Attempt | None:
    name = hosts.normalized(host)
    return _guards[-1].block(name) if _guards and name else None


def _install() -> None:
    """Watch audit events and the start of TLS."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)  # once a process: Python cannot remove an audit hook
        _hooked = True
    import ssl

    _patches.replace(ssl.SSLContext, "wrap_socket", _guard_wrap_socket)
    _patches.replace(ssl.SSLContext, "wrap_bio", _guard_wrap_bio)


def _guard_wrap_socket(original: Any) -> Any:
    def wrap_socket(context: Any, sock: Any, *arguments: Any, **named: Any) -> Any:
        attempt = _block(named.get("server_hostname", arguments[3] if len(arguments) > 3 else None))
        if attempt is None:
            return original(context, sock, *arguments, **named)
        sock.close()  # callers close it for an Exception only
        raise NetworkGuardError(str(attempt))

    return wrap_socket


def _guard_wrap_bio(original: Any) -> Any:
    def wrap_bio(context: Any, *arguments: Any, **named: Any) -> Any:
        attempt = _block(named.get("server_hostname", arguments[3] if len(arguments) > 3 else None))
        if attempt is None:
            return original(context, *arguments, **named)
        raise (HandshakeStoppedError if _on_other_loop() else NetworkGuardError)(str(attempt))

    return wrap_bio


def _on_other_loop() -> bool:
    """Whether an event loop other than asyncio's own runs in this thread."""
    import asyncio

    try:
        return not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    except RuntimeError:
        return False
