"""How calls are redirected inside the HTTP packages: at the one public method in each that all calls of its clients pass."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver.testing.patches import ImportHooks, Patches

if TYPE_CHECKING:
    from mockserver.testing.intercept import Interception

    InterceptionOf = Callable[[str | None], Interception | None]

# Connections kept for calls side by side. More than these are opened, and closed after use.
_POOL_SIZE = 64
# Where `timeout` stands among the positional arguments of urllib3's `urlopen` that follow `retries`.
_TIMEOUT_INDEX = 2


class Redirects:
    """Redirected packages. `interception_of` gives the interception that answers calls to a host; None leaves them alone."""

    def __init__(self, interception_of: InterceptionOf) -> None:
        self._interception_of = interception_of
        self._patches = Patches()
        self._pools: dict[str, Any] = {}
        self._hooks = ImportHooks(
            {
                "httpx2": lambda module: self._redirect_httpx(module, "mockserver.testing.transport.current"),
                "httpx": lambda module: self._redirect_httpx(module, "mockserver.testing.transport.legacy"),
                "urllib3": self._redirect_urllib3,
                "aiohttp": self._redirect_aiohttp,
            }
        )

    def start(self) -> None:
        """Redirect the packages that have been imported, and the others when they are."""
        self._hooks.start()

    def stop(self) -> None:
        """Restore the packages."""
        self._hooks.stop()
        self._patches.restore()
        for pool in self._pools.values():
            pool.close()

    def _redirect_httpx(self, module: ModuleType, transports: str) -> None:
        """httpx2 and httpx are answered in process, by the transports of the module of this name."""

        def synchronous(original: Any) -> Any:
            def handle_request(transport: Any, request: Any) -> Any:
                interception = self._interception_of(request.url.host)
                if interception is None:
                    return original(transport, request)
                return interception.transport(import_module(transports).Transport).handle_request(request)

            return handle_request

        def asynchronous(original: Any) -> Any:
            async def handle_async_request(transport: Any, request: Any) -> Any:
                interception = self._interception_of(request.url.host)
                if interception is None:
                    return await original(transport, request)
                return await interception.transport(import_module(transports).AsyncTransport).handle_async_request(request)

            return handle_async_request

        self._patches.replace(module.HTTPTransport, "handle_request", synchronous)
        self._patches.replace(module.AsyncHTTPTransport, "handle_async_request", asynchronous)

    def _redirect_urllib3(self, module: ModuleType) -> None:
        """urllib3, and with it requests, is answered by the server."""

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
                interception = self._interception_of(host)
                if interception is None:
                    return original(pool, method, url, body, headers, retries, *rest, **named)
                path = url if target.hostname is None else target._replace(scheme="", netloc="", fragment="").geturl()
                address = f"{target.scheme or pool.scheme}://{host}{path}"
                headers = interception.headers(pool.headers if headers is None else headers, address)
                retries = pool.retries if retries is None else retries
                if len(rest) <= _TIMEOUT_INDEX:
                    named.setdefault("timeout", pool.timeout)
                local = self._pool(module, interception.endpoint)
                return original(local, method, interception.path(path), body, headers, retries, *rest, **named)

            return urlopen

        self._patches.replace(module.HTTPConnectionPool, "urlopen", around)

    def _pool(self, module: ModuleType, endpoint: str) -> Any:
        if endpoint not in self._pools:
            server = urlsplit(endpoint)
            self._pools[endpoint] = module.HTTPConnectionPool(server.hostname, server.port, maxsize=_POOL_SIZE)
        return self._pools[endpoint]

    def _redirect_aiohttp(self, module: ModuleType) -> None:
        """aiohttp is answered by the server: its sessions make a ClientRequest for every call, and for every redirect."""

        def around(original: Any) -> Any:
            def initialise(request: Any, method: str, url: Any, *, headers: Any = None, **named: Any) -> None:
                interception = self._interception_of(url.host)
                if interception is not None:
                    headers = interception.headers(headers or {}, str(url))
                    url = type(url)(f"{interception.endpoint}{interception.path(url.raw_path_qs)}", encoded=True)
                    named["proxy"] = None
                original(request, method, url, headers=headers, **named)

            return initialise

        self._patches.replace(module.ClientRequest, "__init__", around)
