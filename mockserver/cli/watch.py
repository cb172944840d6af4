"""Takes changed scenario files over while serving; while they are wrong, what was loaded last stays in force."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import ScenarioError
from mockserver.resource.build import apply_scenario, load_scenarios

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources

log = logging.getLogger("mockserver")
Stamp = tuple[tuple[str, int, int], ...]


class Watcher:
    """Looks whether the files behind some resources have changed. Nothing runs by itself: somebody calls `check`."""

    def __init__(self, sources: Sequence[str], resources: Resources, given: Mapping[str, Any]) -> None:
        self._sources = [Path(source) for source in sources]
        self._resources = resources
        self._given = given
        self._seen = self._stamp()

    def check(self) -> None:
        """Reload where a file was changed, added or removed. A wrong file is logged, and changes nothing."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            scenarios = load_scenarios(self._sources)
            by_name = {scenario.name or self._resources.default.name: scenario for scenario in scenarios}
            for name, scenario in by_name.items():
                resource = self._resources.by_name.get(name)
                if resource is None:
                    raise ScenarioError([f"{scenario.files[0]}: the resource '{name}' is new; restart to serve it"])
                apply_scenario(resource, scenario, self._given)
        except (ScenarioError, OSError) as error:
            log.error("the changed scenario cannot be used; the old one stays:\n%s", error)
            return
        rules = sum(len(scenario.rules) for scenario in scenarios)
        log.info("scenario reloaded: %d rules", rules)

    def _stamp(self) -> Stamp:
        from mockserver.scenario.load import files_of

        stamps = []
        for path in files_of(self._sources):
            try:
                facts = path.stat()
            except OSError:
                continue
            stamps.append((str(path), facts.st_mtime_ns, facts.st_size))
        return tuple(stamps)
