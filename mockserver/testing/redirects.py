"""How calls are turned away inside the HTTP packages: at the one place in each that all calls of its clients pass."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver.testing.patches import Patches, Watch

if TYPE_CHECKING:
    from mockserver.testing.intercept import Interception

    Taking = Callable[[str | None], Interception | None]

_POOL_SIZE = 64
_TIMEOUT_AT = 2


class Redirects:
    """Redirected packages. `taking` says who answers calls to a host; None lets them go on as they would."""

    def __init__(self, taking: Taking) -> None:
        self._taking = taking
        self._patches = Patches()
        self._pools: dict[str, Any] = {}
        self._watch = Watch(
            {
                "httpx2": lambda module: self._httpx(module, "mockserver.testing.transport.current"),
                "httpx": lambda module: self._httpx(module, "mockserver.testing.transport.legacy"),
                "urllib3.connectionpool": self._urllib3,
                "aiohttp.client": self._aiohttp,
            }
        )

    def start(self) -> None:
        """Redirect the packages that are there, and the others as they come."""
        self._watch.start()

    def stop(self) -> None:
        """Leave everything as it was."""
        self._watch.stop()
        self._patches.restore()
        for pool in self._pools.values():
            pool.close()

    def _httpx(self, module: ModuleType, home: str) -> None:
        """httpx2 and httpx, answered in process."""

        def synchronous(original: Any) -> Any:
            def handle_request(transport: Any, request: Any) -> Any:
                interception = self._taking(request.url.host)
                if interception is None:
                    return original(transport, request)
                return interception.transport(import_module(home).Transport).handle_request(request)

            return handle_request

        def asynchronous(original: Any) -> Any:
            async def handle_async_request(transport: Any, request: Any) -> Any:
                interception = self._taking(request.url.host)
                if interception is None:
                    return await original(transport, request)
                return await interception.transport(import_module(home).AsyncTransport).handle_async_request(request)

            return handle_async_request

        self._patches.replace(module.HTTPTransport, "handle_request", synchronous)
        self._patches.replace(module.AsyncHTTPTransport, "handle_async_request", asynchronous)

    def _urllib3(self, module: ModuleType) -> None:
        """urllib3, and with it requests, answered by the server."""

        def around(original: Any) -> Any:
            def urlopen(
                pool: Any,
                method: str,
                url: str,
                body: Any = None,
                headers: Any = None,
                retries: Any = None,
                *rest: Any,
                **named: Any,
            ) -> Any:
                target = urlsplit(url)
                host = target.hostname or pool.host
                interception = self._taking(host)
                if interception is None:
                    return original(pool, method, url, body, headers, retries, *rest, **named)
                path = url if target.hostname is None else target._replace(scheme="", netloc="", fragment="").geturl()
                address = f"{target.scheme or pool.scheme}://{host}{path}"
                sent = interception.headed(pool.headers if headers is None else headers, address)
                if len(rest) <= _TIMEOUT_AT:
                    named.setdefault("timeout", pool.timeout)
                local = self._pool(module, interception.endpoint)
                path = interception.path(path)
                return original(local, method, path, body, sent, pool.retries if retries is None else retries, *rest, **named)

            return urlopen

        self._patches.replace(module.HTTPConnectionPool, "urlopen", around)

    def _pool(self, module: ModuleType, endpoint: str) -> Any:
        if endpoint not in self._pools:
            place = urlsplit(endpoint)
            self._pools[endpoint] = module.HTTPConnectionPool(place.hostname, place.port, maxsize=_POOL_SIZE)
        return self._pools[endpoint]

    def _aiohttp(self, module: ModuleType) -> None:
        """aiohttp, answered by the server."""

        def around(original: Any) -> Any:
            async def _request(session: Any, method: str, str_or_url: Any, **named: Any) -> Any:
                url = session._build_url(str_or_url)
                interception = self._taking(url.host)
                if interception is None:
                    return await original(session, method, str_or_url, **named)
                sent = session._prepare_headers(named.get("headers"))
                named["headers"] = interception.headed(sent, str(url))
                address = f"{interception.endpoint}{interception.path(url.raw_path_qs)}"
                return await original(session, method, type(url)(address, encoded=True), **named)

            return _request

        self._patches.replace(module.ClientSession, "_request", around)
