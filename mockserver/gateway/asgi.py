"""The surface as a server meets it: over ASGI, and for a server that has a whole request, without waiting for anything."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mockserver import errors
from mockserver.errors import ApiError
from mockserver.gateway import bodies
from mockserver.gateway.delivery import Delivery, Message, Receive, Scope, Send
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.pipeline import Pending, begin
from mockserver.gateway.rendering import Request
from mockserver.operations.encoding import printable

if TYPE_CHECKING:
    from mockserver.gateway.bodies import Payload
    from mockserver.gateway.rendering import Response
    from mockserver.resource.journal import Exchange
    from mockserver.resource.resources import Resources

log = logging.getLogger("mockserver")


class ClientGoneError(Exception):
    """The client left before its request was read."""


class Surface:
    """Every path of the emulated service: the pipeline routes by the table of operations."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = _request(scope["method"], scope["path"], scope["query_string"], RequestHeaders(scope["headers"]))
        try:
            request.payload = await _read(receive, request.headers, self.resources.body_limit)
        except ClientGoneError:
            return
        except ApiError as error:
            request.refusal = error
        await self.deliver(begin(self.resources, request), scope, receive, send)

    def respond(self, method: str, path: str, query: bytes, headers: RequestHeaders, body: bytes) -> Response | Pending:
        """Answer a request that has arrived as a whole. The response is still to be delivered: by `deliver`, or if it is
        there and `immediate`, by `sent` and the server itself.
        """
        request = _request(method, path, query, headers)
        try:
            request.payload = _payload(body, headers, self.resources.body_limit)
        except ApiError as error:
            request.refusal = error
        return begin(self.resources, request)

    async def deliver(self, response: Response | Pending, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a response at its pace, and with its faults; do first what it needs, in turns with other requests."""
        while isinstance(response, Pending):
            while response.take_turn():
                await asyncio.sleep(0)
            response = response.resume()
        try:
            await Delivery(scope, receive, send, response).deliver()
        finally:
            self._log(response.exchange)

    def sent(self, response: Response) -> None:
        """Note that an immediate response is about to leave."""
        response.end()
        self._log(response.exchange)

    def _log(self, exchange: Exchange) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        advice = None
        if exchange.status >= 400:
            from mockserver.gateway.hints import hint

            advice = hint(exchange, self.resources)
        log.info("%s", _line(exchange) if advice is None else f"{_line(exchange)}\n           {advice}")


def _request(method: str, path: str, query: bytes, headers: RequestHeaders) -> Request:
    return Request(method, path, query.decode("latin-1"), headers)


def _payload(body: bytes, headers: RequestHeaders, limit: int) -> Payload:
    """A body that is here as a whole. Raises ApiError as `_read` does."""
    if len(body) > limit:
        raise errors.body_too_large(limit)
    reader = bodies.form_reader(headers.get("content-type", ""))
    if reader is None:
        return body
    try:
        reader.feed(body)
        return reader.finish()
    except ApiError:
        reader.discard()
        raise


async def _read(receive: Receive, headers: RequestHeaders, limit: int) -> Payload:
    """The whole body. Raises ClientGoneError, or ApiError for one that is too large or a form that cannot be read."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return _payload(bytes(message.get("body", b"")), headers, limit)
    reader = bodies.form_reader(headers.get("content-type", ""))
    try:
        return await _collected(message, receive, reader, limit)
    except BaseException:  # being cancelled included
        if reader is not None:
            reader.discard()
        raise


async def _collected(message: Message, receive: Receive, reader: bodies.FormReader | None, limit: int) -> Payload:
    """The body that begins with `message`: what `reader` makes of it, or its bytes."""
    chunks: list[bytes] = []
    size, refusal = 0, None
    while True:
        chunk = _chunk(message)
        size += len(chunk)
        if size > limit and refusal is None:
            refusal = errors.body_too_large(limit)
            chunks.clear()
        if refusal is None and reader is None:
            chunks.append(chunk)
        elif refusal is None and reader is not None:
            refusal = _fed(reader, chunk)
        if not message.get("more_body"):
            break
        message = await receive()
    if refusal is not None:
        raise refusal  # only now, since most clients listen when they have sent all
    return b"".join(chunks) if reader is None else reader.finish()


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return bytes(message.get("body", b""))


def _fed(reader: bodies.FormReader, chunk: bytes) -> ApiError | None:
    """Feed a form's reader; return what it refuses, so that the rest of the body can still be taken off the connection."""
    try:
        reader.feed(chunk)
    except ApiError as error:
        return error
    return None


def _line(exchange: Exchange) -> str:
    """One line of the log: method, operation or path, deployment, what answered, status, milliseconds."""
    operation = exchange.operation or exchange.path
    flag = f" [{exchange.fault}]" if exchange.fault else " [client hung up]" if exchange.hung_up else ""
    deployment = f" {exchange.deployment}" if exchange.deployment else ""
    source, ms = exchange.source, f"{exchange.ms:.1f} ms"
    return printable(f"{exchange.method} {operation}{deployment} · {source} · {exchange.status} · {ms}{flag}")
