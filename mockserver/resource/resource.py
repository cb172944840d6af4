"""A pretend Azure OpenAI resource: what one endpoint owns, separate from every other resource in the same server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.model.catalogue import Model, infer
from mockserver.model.training.recall import is_trained
from mockserver.operations.sealing import Seal
from mockserver.resource import trained
from mockserver.resource.deployment import Deployment
from mockserver.resource.journal import Journal
from mockserver.resource.preload import Preload
from mockserver.resource.quota import DEFAULT_RPM, DEFAULT_TPM, Quota
from mockserver.scenario.engine import Script
from mockserver.scenario.identity import Identity
from mockserver.scenario.switches import split_switch
from mockserver.settings import SETTINGS, Refusal, resolve
from mockserver.state.chance import ChanceSource
from mockserver.state.clock import Clock
from mockserver.state.memory import MemoryStore
from mockserver.state.store import Store
from mockserver.state.work import Lifecycles

if TYPE_CHECKING:
    from mockserver.operations.call import ResponseView
    from mockserver.resource.signatures import Verify
    from mockserver.scenario.load import DeploymentSpec
    from mockserver.scenario.prompts import PromptTemplate

Json = Any
Sender = Callable[["Resource", str, str, Json, "Mapping[str, str]", int | None, bool], "ResponseView"]
DEFAULT_NAME = "mockserver"
DEFAULT_KEYS: tuple[str, ...] = SETTINGS["keys"].default
_NAMES_KEPT = 4_096
_LONGEST_NAME = 256


class Resource:
    """Name, keys, deployments, prompt templates, stored objects, script, journal, clock and seed of one endpoint.

    `keys` None turns credential checks off; `token_keys` check the signatures of tokens where the setting `jwks` is set. `settings`
    is what `settings.resolve` returns. Until a deployment is declared every name works, and serves the model that the name
    suggests. Without `store` and `open_store`, which opens one that survives, what is stored is in memory.
    """

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        *,
        keys: Iterable[str] | None = DEFAULT_KEYS,
        script: Script | None = None,
        settings: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        open_store: Callable[[], Store] | None = None,
        lifecycles: Lifecycles | None = None,
    ) -> None:
        self.settings = resolve() if settings is None else settings
        self.open = keys is None
        self.script = Script() if script is None else script
        self.seed = str(self.settings["seed"])
        self.preload = Preload(self.seed)
        self.profile: str = self.settings["profile"]
        self.allowed: frozenset[Refusal] = frozenset(self.settings["allow"])
        self.region: str = self.settings["region"]
        self.legacy_api: bool = self.settings["legacy_api"]
        self.identity = Identity()
        self.token_keys: Mapping[str, Verify] = {}
        self.clock = clock or Clock()
        self._open_store = open_store
        self.store: Store = store or (open_store or self._memory)()
        self.lifecycles = lifecycles or Lifecycles()
        self.sender: Sender | None = None  # the gateway's, once it has served a request
        self.neighbours: Mapping[str, Resource] = {}  # those of the same server by name, itself included
        self.journal = Journal(self.settings["journal_limit"], self.settings["journal_bytes"])
        self.rename(name, keys or ())
        self.deployments: dict[str, Deployment] = {}
        self.prompts: Mapping[str, PromptTemplate] = {}
        self._assumed: dict[tuple[str, str], Deployment] = {}
        self._chances = ChanceSource(self.seed, self.store.generation)
        self.chance = self._chances.draw  # the method itself: one around it would cost every request a call

    def rename(self, name: str, keys: Iterable[str]) -> None:
        """Give it another name and other keys, while it is not served. Whether it is open to everybody stays as it is."""
        self.name = name
        self.keys = tuple(keys)

    def refuses(self, refusal: Refusal) -> bool:
        """Whether it refuses what the service refuses under this name, rather than letting it through."""
        return refusal not in self.allowed

    @property
    def seal(self) -> Seal:
        """What proves that opaque content is its own."""
        return Seal(self.name, self.seed)

    def declare(self, name: str, model: Model, spec: DeploymentSpec | None = None) -> Deployment:
        """Add a deployment; from now on only declared ones exist. A limit that `spec` sets is enforced."""
        deployment = self.deployments[name] = self._deploy(name, model, spec)
        return deployment

    def redeclare(self, planned: Mapping[str, tuple[Model, DeploymentSpec | None]]) -> None:
        """Have these deployments and no others; the quota of one that keeps its limits goes on, and so does its cache."""
        before, after = self.deployments, {name: self._deploy(name, *plan) for name, plan in planned.items()}
        for name, deployment in after.items():
            old = before.get(name)
            if old is not None and (old.quota.rpm, old.quota.tpm) == (deployment.quota.rpm, deployment.quota.tpm):
                deployment.quota = old.quota
            if old is not None and old.model is deployment.model:
                deployment.cache = old.cache
        self.deployments = after

    @property
    def models(self) -> dict[str, Model]:
        """The models of the deployments that are declared, by the deployments' names."""
        return {name: deployment.model for name, deployment in self.deployments.items()}

    def _deploy(self, name: str, model: Model, spec: DeploymentSpec | None) -> Deployment:
        rpm, tpm = (spec.rpm, spec.tpm) if spec is not None else (None, None)
        quota = Quota(
            DEFAULT_RPM if rpm is None else rpm,
            DEFAULT_TPM if tpm is None else tpm,
            enforced=rpm is not None or tpm is not None,
        )
        behaviour, enqueued = (spec.behaviour, spec.enqueued_tokens) if spec is not None else (None, None)
        return Deployment(name, model, quota, behaviour, enqueued_tokens=enqueued)

    def deployment(self, name: str, kind: str = "chat") -> Deployment:
        """The deployment that `model` names in a request for a `kind` of model. Raises ApiError 404 where there is none."""
        found = self.deployments.get(name)
        if found is not None:
            return found
        known = self._assumed.get((name, kind))
        if known is not None and not self.deployments:
            return known
        served, behaviour = split_switch(name)
        declared = self.deployments.get(served)
        if len(name) > _LONGEST_NAME or (declared is None and self.deployments and not self._has_trained(served)):
            raise errors.deployment_not_found()
        model = declared.model if declared is not None else infer(served, kind)
        return self._assume(name, kind, Deployment(name, model, behaviour=behaviour))

    def send(
        self,
        method: str,
        path: str,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        *,
        parent: int | None = None,
        metered: bool = True,
    ) -> ResponseView:
        """Send a request of the resource's own, as `Call.send` does; `parent` is the number of the exchange that it belongs to.

        One that is not `metered` does not count against the deployment's minute, as those of batches, which have a quota of their own.
        Raises RuntimeError while no gateway serves the resource.
        """
        if self.sender is None:
            raise RuntimeError(f"the resource {self.name!r} is not served")
        return self.sender(self, method, path, body, headers or {}, parent, metered)

    def _memory(self) -> Store:
        return MemoryStore(self.settings["store_documents"], self.settings["store_bytes"])

    def reopen(self) -> None:
        """Go on with a store that was closed."""
        if self._open_store is not None:
            self.store = self._open_store()
            self.preload.resume()

    def renew_ids(self, generation: int) -> None:
        """Draw ids from now on that no state of this generation, or of this resource's own, has."""
        self.store.generation = max(self.store.generation, generation) + 1
        self._chances = ChanceSource(self.seed, self.store.generation)
        self.chance = self._chances.draw

    def forget(self) -> None:
        """Forget what is stored, but for what the scenario gives, which is made anew."""
        self.store.clear()
        self.preload.renew()

    def reset(self, *, rules: bool = False) -> None:
        """Forget state, journal, counters and quotas, and with `rules` the rules added in Python; time is real again."""
        self.forget()
        self.journal.clear()
        self.script.reset(rules=rules)
        self.clock.reset()
        self._chances.clear()
        for deployment in (*self.deployments.values(), *self._assumed.values()):
            deployment.quota.reset()
            deployment.cache.reset()

    def _has_trained(self, model: str) -> bool:
        """Whether this is a model that the resource has trained: one that can be called by its own name, without a deployment."""
        return is_trained(model) and trained.place(self.store, model) is not None

    def _assume(self, name: str, kind: str, deployment: Deployment) -> Deployment:
        if len(self._assumed) >= _NAMES_KEPT:
            self._assumed.clear()
        self._assumed[name, kind] = deployment
        return deployment
