"""Interception: calls of this process to Azure and OpenAI hosts are answered here, whatever URL and credential the code has.

Clients of httpx2 and httpx are answered without a socket, those of urllib3 (requests) and aiohttp by the server. Their
packages are patched where they have been imported, and as they are imported; never imported for this.
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

MARK = "x-mockserver-intercepted"
"""The header that tells, in the journal, the URL that a call was intercepted on its way to."""
_Transport = TypeVar("_Transport")
_HOST_NAME = re.compile(r"[a-z0-9.-]+")


class Interception:
    """Which calls go to a mock, and as what."""

    def __init__(self, mock: Mock, names: Sequence[str] = ()) -> None:
        self._mock = mock
        self._names = tuple(names)
        self._transports: dict[Callable[..., Any], Any] = {}
        name = mock.resource.name
        self._host = f"{name}{hosts.AZURE[0]}" if _HOST_NAME.fullmatch(name) else "localhost"

    def takes(self, host: str) -> bool:
        """Whether calls to this host are answered here."""
        name = hosts.clean(host)
        return hosts.named(name, self._names) if self._names else hosts.serves_models(name)

    @property
    def endpoint(self) -> str:
        """Where the server is. Raises RuntimeError where it has not been started."""
        endpoint = self._mock.endpoint
        if endpoint.endswith(":0"):
            raise RuntimeError(
                "start the MockServer first: calls of urllib3, requests and aiohttp are answered over its socket"
            )
        return endpoint

    def transport(self, kind: Callable[..., _Transport]) -> _Transport:
        """The in-process transport of this class that answers here."""
        if kind not in self._transports:
            self._transports[kind] = kind(self._mock.app, self.rewrite)
        found: _Transport = self._transports[kind]
        return found

    def headed(self, sent: Mapping[str, str], url: str) -> dict[str, str]:
        """A caller's headers, and those that open the resource and tell what the URL was.

        The key goes where the caller has no credential, so that what it sent stays to be seen.
        """
        headers = {name.lower(): value for name, value in sent.items()}
        key = self._mock.api_key
        credential = {"authorization": f"Bearer {key}"} if "api-key" in headers else {"api-key": key}
        return headers | {"host": self._host, MARK: url.partition("?")[0]} | credential

    @staticmethod
    def path(path: str) -> str:
        """The path on an Azure resource: OpenAI's `/v1/…` is `/openai/v1/…` there; what precedes `/openai/` does not matter."""
        if path.startswith("/v1/"):
            return f"/openai{path}"
        at = path.partition("?")[0].find("/openai/")
        return path[at:] if at > 0 else path

    def rewrite(self, scope: Scope) -> None:
        """Make of a request to a real host one to the resource."""
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        url = f"{scope['scheme']}://{scope['server'][0]}{scope['raw_path'].decode('latin-1')}"
        headers = self.headed(sent, url)
        scope["headers"] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        scope["path"] = self.path(scope["path"])
        scope["raw_path"] = self.path(scope["raw_path"].decode("latin-1")).encode("latin-1")


@contextmanager
def intercepting(mock: Mock, names: Sequence[str] = ()) -> Iterator[None]:
    """Answer calls to real hosts from `mock`; with `names`, to these alone: full hosts, patterns, or bare resource names.

    A host of another form, such as a gateway of your own, is intercepted where it is named. Interceptions nest; the innermost
    that takes a host answers.
    """
    interception = Interception(mock, names)
    _begin(interception)
    try:
        yield
    finally:
        _end(interception)


def taking(host: str | None) -> Interception | None:
    """The innermost interception that takes this host."""
    return next((one for one in reversed(_active) if host and one.takes(host)), None)


_active: list[Interception] = []
_redirects: list[Redirects] = []
_lock = RLock()


def _begin(interception: Interception) -> None:
    from mockserver.testing.redirects import Redirects

    with _lock:
        _active.append(interception)
        if not _redirects:
            _redirects.append(Redirects(taking))
            _redirects[0].start()


def _end(interception: Interception) -> None:
    with _lock:
        _active.remove(interception)
        if not _active:
            _redirects.pop().stop()
