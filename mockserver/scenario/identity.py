"""Who may call a resource: what a scenario's `identity` says of its tenant, its tokens and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mockserver.operations.access import RoleName

Json = Any
TokenFailure = Literal["invalid_client", "unauthorized_client", "throttled", "unavailable"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The rules about tokens and keys. By default everything is allowed.

    `tenant` is the one whose tokens are accepted, and that issued tokens have. `roles` are those of every caller with a token,
    None for all rights. `expires_in` is the life of issued tokens in seconds, None for what the route gives. Without `local_auth`,
    keys are refused. `refuse` is how token requests fail.
    """

    tenant: str | None = None
    roles: tuple[RoleName, ...] | None = None
    expires_in: float | None = None
    local_auth: bool = True
    refuse: TokenFailure | None = None

    @classmethod
    def of(cls, section: Mapping[str, Json]) -> Identity:
        """The rules that a scenario writes."""
        roles = section.get("roles")
        return cls(**{**section, "roles": tuple(roles) if roles is not None else None})
