"""Reload scenario files that change while they are served. While they have errors, what was loaded last stays in force."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.cli.loading import counted
from mockserver.errors import ScenarioError
from mockserver.resource.build import apply_scenario, load_scenarios

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources

log = logging.getLogger("mockserver")
Stamp = tuple[tuple[str, int, int], ...]


class Watcher:
    """The files behind some resources, and how they were when they were loaded. Nothing runs by itself: the server calls `check`."""

    def __init__(self, sources: Sequence[str], resources: Resources, overrides: Mapping[str, Any]) -> None:
        self._sources = [Path(source) for source in sources]
        self._resources = resources
        self._overrides = overrides
        self._loaded = self._stamp()

    def check(self) -> None:
        """Reload if a file was changed, added or removed. Errors are logged, and nothing changes."""
        stamp = self._stamp()
        if stamp == self._loaded:
            return
        self._loaded = stamp
        try:
            scenarios = load_scenarios(self._sources)
            by_name = {scenario.name or self._resources.default.name: scenario for scenario in scenarios}
            for name, scenario in by_name.items():
                resource = self._resources.by_name.get(name)
                if resource is None:
                    raise ScenarioError([f"{scenario.files[0]}: the resource '{name}' is new; restart the server to add it"])
                apply_scenario(resource, scenario, self._overrides)
        except (ScenarioError, OSError) as error:
            log.error("the changed scenario cannot be used; the old one stays in force:\n%s", error)
            return
        log.info("scenario reloaded: %s", counted(sum(len(scenario.rules) for scenario in scenarios), "rule"))

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
