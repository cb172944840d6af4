"""The resources of one server, and which of them a request belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.resource.signatures import Verify

HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
_AZURE = ".azure.com"


class Resources:
    """The resources of one server: which one a request belongs to. The first is the default.

    `body_limit` is how many bytes a request's body may have, and `allowed_hosts` the further names that Host and Origin may have:
    those of the first resource, since a request is read, and let in, before it is known whose it is. `signers` check, by the id of
    their key, the tokens that this server has issued.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.by_name: dict[str, Resource] = {}
        self.by_key: dict[str | None, Resource] = {}
        self.default = resources[0]
        self.body_limit: int = self.default.settings["body_limit"]
        self.allowed_hosts: tuple[str, ...] = self.default.settings["allowed_hosts"]
        self.signers: dict[str, Verify] = {}
        self._received = 0
        self._closed = False
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self.by_name.values()))

    def count(self) -> int:
        """The number of the next request to this server."""
        self._received += 1
        return self._received

    def add(self, resource: Resource) -> None:
        """Serve one more resource. Raises ValueError where its name or a key of its is taken."""
        if resource.name in self.by_name:
            raise ValueError(f"there are two resources named {resource.name!r}")
        for key in resource.keys:
            if key in self.by_key:
                raise ValueError(f"two resources share the key {key!r}; give each its own")
        self.by_name[resource.name] = resource
        resource.neighbours = self.by_name
        self.by_key |= dict.fromkeys(resource.keys, resource)

    def by_host(self, host: str) -> Resource | None:
        """The resource that an Azure host name stands for, None for other hosts and unknown names."""
        if _AZURE not in host.lower():
            return None
        for suffix in HOSTS:
            name, found, _ = host.lower().partition(suffix)
            if found:
                return next((resource for known, resource in self.by_name.items() if known.lower() == name), None)
        return None

    def remove(self, name: str) -> None:
        """Stop serving a resource."""
        resource = self.by_name.pop(name)
        for key in resource.keys:
            self.by_key.pop(key, None)

    def close(self) -> None:
        """Close what the resources remember. State files are free for another server then."""
        self._closed = True
        for resource in self:
            resource.store.close()

    def reopen(self) -> None:
        """Go on after `close`. Raises StateError for a state file that cannot be used any more."""
        if self._closed:
            for resource in self:
                resource.reopen()
            self._closed = False
