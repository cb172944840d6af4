"""What a role allows: the data actions of Azure's built-in roles, and the one that each operation needs.

The actions of responses, chat, evals, batches and stored completions are reported or documented by name; those of fine-tuning,
files, uploads and models by their first segment. Where no name is public (vector stores, threads, conversations, containers)
they are inferred. docs/entra.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from mockserver.operations.table import Operation

PREFIX = "Microsoft.CognitiveServices/accounts/OpenAI/"


class Role(NamedTuple):
    """The data actions of a role below `PREFIX`, as patterns, and those that it leaves out."""

    grants: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


_EVERYTHING = Role(("*",))
_ALL_BUT_BATCHES = Role(("*",), ("batch-jobs/write", "batch-jobs/delete"))
_USER = Role(
    (
        "*/read",
        "assistants/*",
        "deployments/audio/action",
        "deployments/chat/completions/action",
        "deployments/completions/action",
        "deployments/embeddings/action",
        "deployments/realtime/action",
        "images/generations/action",
        "responses/*",
    ),
    ("stored-completions/read",),
)

RoleName = Literal[
    "Cognitive Services OpenAI User",
    "Cognitive Services OpenAI Contributor",
    "Cognitive Services User",
    "Foundry User",
    "Azure AI User",
    "Azure AI Developer",
    "Owner",
    "Contributor",
    "Reader",
    "Cognitive Services Contributor",
]
ROLES: Mapping[RoleName, Role] = {
    "Cognitive Services OpenAI User": _USER,
    "Cognitive Services OpenAI Contributor": _EVERYTHING,
    "Cognitive Services User": _ALL_BUT_BATCHES,
    "Foundry User": _ALL_BUT_BATCHES,
    "Azure AI User": _ALL_BUT_BATCHES,  # the old name of Foundry User
    "Azure AI Developer": _EVERYTHING,
    # They rule over the resource, and do not let anybody call it (documented).
    "Owner": Role(),
    "Contributor": Role(),
    "Reader": Role(),
    "Cognitive Services Contributor": Role(),
}
"""Azure's built-in roles, as far as they concern this service (documented; the definitions as reported in October 2026)."""

_EXACT = {
    ("POST", "/chat/completions"): "deployments/chat/completions/action",
    ("POST", "/completions"): "deployments/completions/action",
    ("POST", "/embeddings"): "deployments/embeddings/action",
    ("POST", "/batches"): "batch-jobs/write",
    ("POST", "/batches/{batch_id}/cancel"): "batches/cancel/action",
}
_BY_METHOD = {"GET": "read", "POST": "write", "DELETE": "delete"}
_NOUNS = {
    "conversations": "responses",
    "containers": "responses",
    "vector_stores": "assistants/vector_stores",
    "threads": "assistants/threads",
    "fine_tuning": "fine-tunes",
}


def data_action(operation: Operation) -> str:
    """The data action that a caller of the operation needs, without `PREFIX`."""
    exact = _EXACT.get((operation.method, operation.path))
    if exact is not None:
        return exact
    family = operation.path[1:].partition("/")[0]
    if family == "chat":  # all that is left of it concerns stored completions, which have two actions
        return "stored-completions/read" if operation.method == "GET" else "stored-completions/action"
    if family == "realtime":
        return "deployments/realtime/action"
    return f"{_NOUNS.get(family, family)}/{_BY_METHOD[operation.method]}"


def allows(roles: Iterable[RoleName], action: str) -> bool:
    """Whether one of the roles has the action."""
    return any(_fits(action, ROLES[role].grants) and not _fits(action, ROLES[role].excludes) for role in roles)


def _fits(action: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in patterns)
