"""Attributes of other packages' classes, replaced for a while: now, or as soon as the package is imported."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any


class Patches:
    """What has been replaced, to be put back."""

    def __init__(self) -> None:
        self._replaced: list[tuple[type, str, Any, Any]] = []

    def replace(self, owner: type, name: str, around: Callable[[Any], Any]) -> None:
        """Put what `around` makes of the attribute in its place. Does nothing where that has been done."""
        if any(owner is known and name == said for known, said, _, _ in self._replaced):
            return
        original = vars(owner)[name]
        replacement = around(original)
        setattr(owner, name, replacement)
        self._replaced.append((owner, name, original, replacement))

    def restore(self) -> None:
        """Put everything back, except where somebody else has replaced it since: that may lean on what is there now."""
        while self._replaced:
            owner, name, original, replacement = self._replaced.pop()
            if vars(owner).get(name) is replacement:
                setattr(owner, name, original)


class Watch:
    """Calls a function with a module: at once where it has been imported, else after its import. A finder of `sys.meta_path`."""

    def __init__(self, wanted: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self._wanted = dict(wanted)

    def start(self) -> None:
        """Look at the modules that are there, and watch for the others."""
        sys.meta_path.insert(0, self)
        for name, act in self._wanted.items():
            module = sys.modules.get(name)
            if module is not None:
                act(module)

    def stop(self) -> None:
        """Watch no longer."""
        sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a module is, as the other finders know it; when it has been run, the function is called."""
        act = self._wanted.get(name)
        if act is None:
            return None
        others = [finder for finder in sys.meta_path if not isinstance(finder, Watch) and hasattr(finder, "find_spec")]
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._follow(spec.loader, act)
        return spec

    def _follow(self, loader: Any, act: Callable[[ModuleType], None]) -> None:
        run = loader.exec_module

        def run_and_act(module: ModuleType) -> None:
            run(module)
            if self in sys.meta_path:
                act(module)

        loader.exec_module = run_and_act
