"""Entra ID in a box: the routes that give tokens, for managed identities and for applications, and the keys that sign them.

Azure's SDKs find a managed identity's route by environment variables (`server.variables.for_entra`); applications ask
`login.microsoftonline.com`, whose paths are answered under that name, as a proxy leads to them, and under any other.

Where other machines can reach the server, a token is only given to who sends a resource's key: as `X-IDENTITY-HEADER`, as
`client_secret`, or as `api-key`.
"""

from __future__ import annotations

from starlette.applications import Starlette

from mockserver.identity import direct, login, managed
from mockserver.identity.issuer import Issuer
from mockserver.resource.resources import Resources


def create_identity(resources: Resources, *, guarded: bool) -> Starlette:
    """The application of all identity routes; with `guarded`, it requires a resource's key."""
    issuer = Issuer(resources, guarded=guarded)
    return Starlette(routes=[*direct.routes(issuer), *managed.routes(issuer), *login.routes(issuer)])
