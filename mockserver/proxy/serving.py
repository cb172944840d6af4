"""The mock with its proxy and TLS, on this machine, in a thread of its own."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.proxy.authority import Authority, load_authority
from mockserver.proxy.environment import Place, changed, variables
from mockserver.proxy.trust import bundle, java_store
from mockserver.proxy.tunnel import Tunnel
from mockserver.server.server import Server, listen

if TYPE_CHECKING:
    from mockserver.app import Application

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a program can be run in: where the mock is, and what it has refused to reach."""

    place: Place
    before: Mapping[str, str] = field(repr=False)
    refused: Counter[str]

    def variables(self, key: str, client: str | None = None) -> dict[str, str]:
        """The variables that lead programs here, for a resource's key and for one `client` of the SDK or both."""
        return variables(self.place, key, self.before, client)

    def environment(self, key: str, client: str | None = None) -> dict[str, str]:
        """The whole environment of a program."""
        return changed(self.before, self.variables(key, client))


@contextmanager
def surroundings(
    app: Application, *, allowed: Collection[str] = (), ports: tuple[int, int] = (0, 0), before: Mapping[str, str] | None = None
) -> Iterator[Surroundings]:
    """Serve an application while the context lasts, over HTTP, and over TLS to whom the proxy sends there.

    `allowed` are further hosts that the proxy may connect to, `ports` those of HTTP and of the proxy (0 takes a free one),
    `before` the environment that programs would have. Raises TlsError, and OSError for a port that is taken.
    """
    before = os.environ if before is None else before
    authority = load_authority()
    context = authority.server_context()
    with ExitStack() as stack:
        http, proxy, tls = [stack.enter_context(closing(listen(HOST, port))) for port in (*ports, 0)]
        tunnel = Tunnel((HOST, _port(tls)), allowed)
        server = Server(app)
        server.companions = [partial(server.serve_tls, tls, context), partial(tunnel.listen, proxy)]
        stack.enter_context(_running(server, http))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mockserver-")))
        trusted, store = _write_trust(folder, authority, before)
        place = Place(f"http://{HOST}:{_port(http)}", _port(proxy), _port(tls), trusted, store, allowed)
        yield Surroundings(place, before, tunnel.refused)


@contextmanager
def _running(server: Server, listener: socket.socket) -> Iterator[None]:
    """Run a server in a thread while the context lasts."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="mockserver run", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _write_trust(folder: Path, authority: Authority, before: Mapping[str, str]) -> tuple[Path, Path]:
    pem, store = folder / "trusted.pem", folder / "trusted.p12"
    content = bundle(authority, before)
    pem.write_bytes(content)
    store.write_bytes(java_store(content))
    return pem, store
