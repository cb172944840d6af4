"""The network guard: stops this process's calls to the real Azure and OpenAI before anything leaves, whatever library makes them.

It listens where names are looked up and sockets connected (Python's audit events), and where TLS is begun with a host, which
covers what does its own look-ups, has the address already, or goes through a proxy. Not covered: connections that were open
before, libraries with a network stack of their own, and other processes.
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
    """A call to a real host was stopped.

    As a failure of pytest's own, this is no Exception: libraries neither retry it nor hide it behind errors of theirs.
    """


class HandshakeStoppedError(ConnectionError):
    """The same for TLS on an event loop such as uvloop's: that begins it in a callback, and passes nothing on but an Exception."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that was stopped. `url` is as much of its URL as could be told, `where` the place in the user's code, "" if unknown."""

    host: str
    url: str
    where: str

    def __str__(self) -> str:
        whence = f", from {self.where}" if self.where else ""
        if hosts.issues_tokens(self.host):
            what = "This would have asked Entra ID for a token"
            way_out = f"Give the client a key instead of a credential, or let token requests pass with allow={[ENTRA]!r}."
        else:
            what = "This would have left for the real service"
            way_out = (
                "Have the code read OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT instead of naming a host, answer it here with "
                f"intercept(), or let it pass with allow={[self.host]!r}."
            )
        return f"{what}: {self.url}{whence}. Nothing was sent. {way_out}"


class Guard:
    """Stops calls to real hosts while it is entered; `attempts` are those that it stopped.

    `allow` lets hosts pass: by name, by pattern, by a resource's bare name, or "entra" for all token endpoints. Guards nest;
    the innermost decides.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.allow = (allow,) if isinstance(allow, str) else tuple(allow)
        self.attempts: list[Attempt] = []

    def check(self) -> None:
        """Raise AssertionError if a call was stopped, even where the code under test swallowed that."""
        if self.attempts:
            raise AssertionError("\n\n".join(dict.fromkeys(map(str, self.attempts))))

    def attempted(self, host: str) -> Attempt | None:
        """The attempt, now on record, that a call to `host` is; None where it may pass."""
        token = hosts.issues_tokens(host)
        if not (token or hosts.serves_models(host)) or hosts.named(host, self.allow) or (token and ENTRA in self.allow):
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
    """A guard to enter: `with guard(allow=["my-real.openai.azure.com"]) as watched: …`."""
    return Guard(allow)


_guards: list[Guard] = []
_patches = Patches()
_hooked = False
_HOSTS = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.connect": 1}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _guards and event in _HOSTS:
        place = arguments[_HOSTS[event]]
        attempt = _attempted(place[0] if isinstance(place, tuple) and place else place)
        if attempt is not None:
            raise NetworkGuardError(str(attempt))


def _attempted(host: object) -> Attempt | None:
    name = hosts.clean(host)
    return _guards[-1].attempted(name) if _guards and name else None


def _install() -> None:
    """Listen: to audit events, which once begun can only be ignored, and to the begin of TLS."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    import ssl

    _patches.replace(ssl.SSLContext, "wrap_socket", _before_handshake)
    _patches.replace(ssl.SSLContext, "wrap_bio", _before_looped_handshake)


def _before_handshake(original: Any) -> Any:
    def wrap_socket(context: Any, sock: Any, *arguments: Any, **named: Any) -> Any:
        attempt = _attempted(named.get("server_hostname", arguments[3] if len(arguments) > 3 else None))
        if attempt is None:
            return original(context, sock, *arguments, **named)
        sock.close()  # callers look after it for an Exception only
        raise NetworkGuardError(str(attempt))

    return wrap_socket


def _before_looped_handshake(original: Any) -> Any:
    def wrap_bio(context: Any, *arguments: Any, **named: Any) -> Any:
        attempt = _attempted(named.get("server_hostname", arguments[3] if len(arguments) > 3 else None))
        if attempt is None:
            return original(context, *arguments, **named)
        raise (HandshakeStoppedError if _on_foreign_loop() else NetworkGuardError)(str(attempt))

    return wrap_bio


def _on_foreign_loop() -> bool:
    import asyncio

    loop = asyncio._get_running_loop()
    return loop is not None and not isinstance(loop, asyncio.BaseEventLoop)
