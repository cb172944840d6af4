"""Tokens of applications: the paths of login.microsoftonline.com for client credentials and workload identities.

Discovery and the token's answer are documented, and what azure-identity and MSAL read of them was tried with both. The refusals
have the codes and the words of Microsoft's list of AADSTS errors; their ids are drawn like all others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.routing import Route

from mockserver.identity.issuer import HOUR, Grant, Issuer, lifetime_of, tenant_of
from mockserver.identity.requests import LOGIN_HOST, RefusedError, form, key_required, route
from mockserver.resource.resource import Resource

Json = Any
_GRANT, _SCOPE_END = "client_credentials", "/.default"
_ALIASES = [LOGIN_HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHARED = ("common", "organizations", "consumers")


def routes(issuer: Issuer) -> list[Route]:
    """The routes of every tenant."""
    return [
        route(issuer, "/common/discovery/instance", "GET", instance),
        route(issuer, "/{tenant}/v2.0/.well-known/openid-configuration", "GET", configuration),
        route(issuer, "/{tenant}/discovery/v2.0/keys", "GET", keys),
        route(issuer, "/{tenant}/oauth2/v2.0/token", "POST", token),
    ]


async def instance(issuer: Issuer, request: Request) -> Json:
    """Which hosts are Entra ID's: the one that is asked for is."""
    try:
        place = urlsplit(request.query_params.get("authorization_endpoint", ""))
    except ValueError:
        raise _aadsts(issuer.resources.default, 400, "invalid_instance", 50_049, "Unknown or invalid instance.") from None
    tenant = place.path.split("/")[1] if place.path.count("/") > 1 else "common"
    host = place.netloc or LOGIN_HOST
    return {
        "tenant_discovery_endpoint": f"https://{host}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": LOGIN_HOST, "preferred_cache": "login.windows.net", "aliases": _ALIASES}],
    }


async def configuration(issuer: Issuer, request: Request) -> Json:
    """A tenant's OpenID configuration, as far as it is about tokens of applications."""
    tenant = request.path_params["tenant"]
    root = f"{_origin(request)}/{tenant}"
    return {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{root}/v2.0",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "cloud_instance_name": "microsoftonline.com",
    }


async def keys(issuer: Issuer, request: Request) -> Json:
    """The public keys of this server's tokens. They are no secret."""
    return {"keys": [issuer.key().public()]}


async def token(issuer: Issuer, request: Request) -> Json:
    """A token for client credentials. The secret, or the assertion, may be anything; a resource's key selects that resource."""
    fields = await form(request)
    secret, assertion = fields.get("client_secret"), fields.get("client_assertion")
    resource = issuer.resource(secret, assertion, request.headers.get("api-key"))
    if resource is None:
        raise key_required()
    tenant = _tenant(resource, request.path_params["tenant"])
    _check(resource, fields, tenant)
    audience = fields["scope"].removesuffix(_SCOPE_END)
    proof = "2" if assertion else "1"
    issued = issuer.issue(resource, Grant(audience, lifetime_of(resource, HOUR), fields["client_id"], tenant, proof=proof))
    lifetime = issued.lifetime
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": issued.token}


def _tenant(resource: Resource, name: str) -> str:
    """The id of the tenant of a path. Raises RefusedError where the scenario names another one."""
    own = resource.identity.tenant
    if own is not None and name not in (own, *_SHARED):
        raise _aadsts(resource, 400, "invalid_request", 90_002, _UNKNOWN_TENANT.format(name[:80]))
    return name if _GUID.fullmatch(name) else tenant_of(resource)


def _check(resource: Resource, fields: dict[str, str], tenant: str) -> None:
    """Raise RefusedError for a form that asks for no token, and for one that the scenario refuses."""
    for name in ("grant_type", "client_id", "scope"):
        if not fields.get(name):
            message = f"The request body must contain the following parameter: '{name}'."
            raise _aadsts(resource, 400, "invalid_request", 900_144, message)
    if fields["grant_type"] != _GRANT:
        message = "The app requested an unsupported grant type '{}'.".format(fields["grant_type"][:80])
        raise _aadsts(resource, 400, "unsupported_grant_type", 70_003, message)
    if not (fields.get("client_secret") or fields.get("client_assertion")):
        raise _aadsts(resource, 401, "invalid_client", 7_000_216, _NO_SECRET)
    if resource.identity.refuse is not None:
        raise _failure(resource, fields["client_id"][:80], tenant)
    if not fields["scope"].endswith(_SCOPE_END):
        raise _aadsts(resource, 400, "invalid_scope", 1_002_012, _BAD_SCOPE.format(fields["scope"][:200]))


_UNKNOWN_TENANT = (
    "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with "
    "your subscription administrator, this may happen if there are no active subscriptions for the tenant."
)
_NO_SECRET = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
_BAD_SCOPE = (
    "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default suffixed to the "
    "resource identifier (application ID URI)."
)
_BAD_SECRET = (
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client "
    "secret ID, for a secret added to app '{}'."
)
_UNKNOWN_CLIENT = (
    "Application with identifier '{}' was not found in the directory '{}'. This can happen if the application has not been installed "
    "by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to "
    "the wrong tenant."
)


def _failure(resource: Resource, client: str, tenant: str) -> RefusedError:
    """The failure that the scenario wants."""
    match resource.identity.refuse:
        case "invalid_client":
            return _aadsts(resource, 401, "invalid_client", 7_000_215, _BAD_SECRET.format(client))
        case "unauthorized_client":
            return _aadsts(resource, 400, "unauthorized_client", 700_016, _UNKNOWN_CLIENT.format(client, tenant))
        case "throttled":
            message = "There are too many incoming requests."
            return _aadsts(resource, 429, "temporarily_unavailable", 90_055, message, {"retry-after": "1"})
        case _:
            message = "A transient error has occurred. Please try again."
            return _aadsts(resource, 503, "temporarily_unavailable", 90_033, message)


def _aadsts(
    resource: Resource, status: int, error: str, code: int, message: str, headers: dict[str, str] | None = None
) -> RefusedError:
    """A refusal in the envelope of Entra ID."""
    chance = resource.chance("token", message.encode("utf-8", "replace"))
    trace, correlation = chance.uuid(), chance.uuid()
    time = datetime.fromtimestamp(int(resource.clock.now()), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    body = {
        "error": error,
        "error_description": f"AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
        "error_codes": [code],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{LOGIN_HOST}/error?code={code}",
    }
    return RefusedError(status, body, headers)


def _origin(request: Request) -> str:
    """Where the caller finds this server: Entra ID's own name is always behind TLS, whoever has taken that off."""
    host = request.url.netloc
    return f"https://{host}" if request.url.hostname == LOGIN_HOST else f"{request.url.scheme}://{host}"
