"""Tokens of managed identities: the routes of App Service and of virtual machines (IMDS), as Microsoft documents them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from mockserver.identity.issuer import DAY, Grant, Issued, Issuer, lifetime_of
from mockserver.identity.requests import RefusedError, key_required, route
from mockserver.resource.resource import Resource

Json = Any
Refused = Callable[[int, str, str], RefusedError]
APP_SERVICE = "/_mock/identity/app-service"
IMDS = "/metadata/identity/oauth2/token"
_APP_SERVICE_VERSION = "2019-08-01"
_USER_ASSIGNED = ("client_id", "object_id", "principal_id", "mi_res_id", "msi_res_id")
_FAILURES: dict[str, tuple[int, str, str]] = {
    "invalid_client": (400, "invalid_request", "Identity not found"),
    "unauthorized_client": (400, "invalid_request", "Identity not found"),
    "throttled": (429, "too_many_requests", "Too many requests"),
    "unavailable": (503, "service_unavailable", "The service is temporarily unavailable"),
}
"""IMDS documents the statuses and the first text; the other two are inferred."""


def routes(issuer: Issuer) -> list[Route]:
    """The routes; Node's SDK ends IMDS's path with a slash."""
    return [
        route(issuer, APP_SERVICE, "GET", app_service),
        route(issuer, IMDS, "GET", imds),
        route(issuer, IMDS + "/", "GET", imds),
    ]


async def app_service(issuer: Issuer, request: Request) -> Json:
    """The route of `IDENTITY_ENDPOINT`. `IDENTITY_HEADER` may be anything; a resource's key selects that resource."""
    secret = request.headers.get("x-identity-header")
    if not secret:
        raise _of_app_service(401, "unauthorized", "The X-IDENTITY-HEADER header is missing.")
    if request.query_params.get("api-version") != _APP_SERVICE_VERSION:
        raise _of_app_service(400, "invalid_request", f"api-version must be {_APP_SERVICE_VERSION}.")
    issued = _issued(issuer, _resource(issuer, secret, request), request, _of_app_service)
    return {
        "access_token": issued.token,
        "expires_on": str(issued.expires),
        "resource": request.query_params["resource"],
        "token_type": "Bearer",
        "client_id": issued.client,
    }


async def imds(issuer: Issuer, request: Request) -> Json:
    """The route of virtual machines, to which `AZURE_POD_IDENTITY_AUTHORITY_HOST` leads."""
    if request.headers.get("metadata", "").lower() != "true":
        raise _of_imds(400, "invalid_request", "Required metadata header not specified")
    if not request.query_params.get("api-version"):
        raise _of_imds(400, "invalid_request", "Required parameter api-version not specified")
    issued = _issued(issuer, _resource(issuer, None, request), request, _of_imds)
    return {
        "access_token": issued.token,
        "client_id": issued.client,
        "expires_in": str(issued.lifetime),
        "expires_on": str(issued.expires),
        "ext_expires_in": str(issued.lifetime),
        "not_before": str(issued.not_before),
        "resource": request.query_params["resource"],
        "token_type": "Bearer",
    }


def _resource(issuer: Issuer, secret: str | None, request: Request) -> Resource:
    resource = issuer.resource(secret, request.headers.get("api-key"))
    if resource is None:
        raise key_required()
    return resource


def _issued(issuer: Issuer, resource: Resource, request: Request, refused: Refused) -> Issued:
    query, failure = request.query_params, resource.identity.refuse
    if failure is not None:
        raise refused(*_FAILURES[failure])
    if not query.get("resource"):
        raise refused(400, "invalid_request", "Required audience parameter not specified")
    client = next((query[name] for name in _USER_ASSIGNED if query.get(name)), "")
    return issuer.issue(resource, Grant(query["resource"], lifetime_of(resource, DAY), client))


def _of_app_service(status: int, error: str, description: str) -> RefusedError:
    """A refusal in the envelope that Microsoft's own client reads (MSAL's source)."""
    return RefusedError(status, {"statusCode": status, "message": description})


def _of_imds(status: int, error: str, description: str) -> RefusedError:
    """A refusal in the envelope of virtual machines (documented)."""
    return RefusedError(status, {"error": error, "error_description": description})
