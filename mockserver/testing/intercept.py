"""Interception: calls of this process to Azure and OpenAI hosts are answered here, whatever their URL and credential.

Clients of httpx2 and httpx are answered without a socket, those of urllib3 (requests) and aiohttp by the server. A package is
patched when it has been imported, and never imported for this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from mockserver.testing import hosts

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Scope
    from mockserver.testing.mock import Mock
    from mockserver.testing.redirects import Redirects

URL_HEADER = "x-mockserver-intercepted"
"""The request header that holds, in the journal, the URL that an intercepted call was made to, without its query."""
_Transport = TypeVar("_Transport")
_HOST_NAME = re.compile(r"[a-z0-9.-]+")


class Interception:
    """Which calls a mock answers, and as which requests."""

    def __init__(self, mock: Mock, names: Sequence[str] = ()) -> None:
        self._mock = mock
        self._names = tuple(names)
        self._transports: dict[Callable[..., Any], Any] = {}
        name = mock.resource.name
        # A host that selects the resource; the name of one need not be a host name.
        self._host = f"{name}{hosts.AZURE[0]}" if _HOST_NAME.fullmatch(name) else "localhost"

    def covers(self, host: str) -> bool:
        """Whether calls to this host are answered here."""
        name = hosts.normalized(host)
        return hosts.matches(name, self._names) if self._names else hosts.serves_models(name)

    @property
    def endpoint(self) -> str:
        """Where the server listens. Raises RuntimeError if it has not been started."""
        endpoint = self._mock.endpoint
        if endpoint.endswith(":0"):
            raise RuntimeError(
                "start the MockServer first: intercepted calls of urllib3, requests and aiohttp go to its socket"
            )
        return endpoint

    def transport(self, kind: Callable[..., _Transport]) -> _Transport:
        """The in-process transport of this class that answers here."""
        if kind not in self._transports:
            self._transports[kind] = kind(self._mock.app, self.rewrite)
        found: _Transport = self._transports[kind]
        return found

    def headers(self, original: Mapping[str, str], url: str) -> dict[str, str]:
        """The headers of a call to `url`, with the resource's host and key and `URL_HEADER` added.

        The key is added in the header that the caller does not use for its own credential, so that the journal shows that one.
        """
        headers = {name.lower(): value for name, value in original.items()}
        key = self._mock.api_key
        credential = {"authorization": f"Bearer {key}"} if "api-key" in headers else {"api-key": key}
        return headers | {"host": self._host, URL_HEADER: url.partition("?")[0]} | credential

    @staticmethod
    def path(path: str) -> str:
        """The path on an Azure resource: OpenAI's `/v1/…` becomes `/openai/v1/…`; what precedes `/openai/` is dropped."""
        if path.startswith("/v1/"):
            return f"/openai{path}"
        at = path.partition("?")[0].find("/openai/")
        return path[at:] if at > 0 else path

    def rewrite(self, scope: Scope) -> None:
        """Turn the ASGI scope of a request to a real host into one to the resource."""
        original = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        url = f"{scope['scheme']}://{scope['server'][0]}{scope['raw_path'].decode('latin-1')}"
        headers = self.headers(original, url)
        scope["headers"] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        scope["path"] = self.path(scope["path"])
        scope["raw_path"] = self.path(scope["raw_path"].decode("latin-1")).encode("latin-1")


@contextmanager
def intercepting(mock: Mock, names: Sequence[str] = ()) -> Iterator[None]:
    """Answer calls to real hosts from `mock`; with `names`, to these only: full hosts, patterns, or bare resource names.

    Any other host, such as a gateway of your own, is intercepted if it is named. Interceptions nest; the innermost that covers
    a host answers.
    """
    interception = Interception(mock, names)
    _activate(interception)
    try:
        yield
    finally:
        _deactivate(interception)


def interception_of(host: str | None) -> Interception | None:
    """The innermost interception that covers this host, None where its calls go on as they would."""
    return next((interception for interception in reversed(_active) if host and interception.covers(host)), None)


_active: list[Interception] = []
_redirects: list[Redirects] = []
_lock = RLock()


def _activate(interception: Interception) -> None:
    from mockserver.testing.redirects import Redirects

    with _lock:
        _active.append(interception)
        if not _redirects:
            _redirects.append(Redirects(interception_of))
            _redirects[0].start()


def _deactivate(interception: Interception) -> None:
    with _lock:
        _active.remove(interception)
        if not _active:
            _redirects.pop().stop()
