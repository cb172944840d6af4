"""Attributes of other packages' classes, replaced for a while: now, or once the package has been imported."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any


class Patches:
    """Replaced attributes, and their originals."""

    def __init__(self) -> None:
        self._replaced: list[tuple[type, str, Any, Any]] = []

    def replace(self, owner: type, name: str, around: Callable[[Any], Any]) -> None:
        """Replace an attribute by what `around` returns for it. Does nothing if that has been done."""
        if any(owner is known and name == attribute for known, attribute, _, _ in self._replaced):
            return
        original = vars(owner)[name]
        replacement = around(original)
        setattr(owner, name, replacement)
        self._replaced.append((owner, name, original, replacement))

    def restore(self) -> None:
        """Restore all attributes, except those that others have replaced since: their replacements may call ours."""
        while self._replaced:
            owner, name, original, replacement = self._replaced.pop()
            if vars(owner).get(name) is replacement:
                setattr(owner, name, original)


class ImportHooks:
    """Functions by names of modules, each called with its module: now if it has been imported, else after its import.

    It is a finder of `sys.meta_path` that leaves finding to the others.
    """

    def __init__(self, hooks: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self._hooks = dict(hooks)

    def start(self) -> None:
        """Call the hooks of the modules that have been imported, and wait for the others."""
        sys.meta_path.insert(0, self)
        for name, hook in self._hooks.items():
            module = sys.modules.get(name)
            if module is not None:
                hook(module)

    def stop(self) -> None:
        """Call no more hooks."""
        sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a module is, according to the other finders; its hook is called once it has been executed."""
        hook = self._hooks.get(name)
        if hook is None:
            return None
        others = [finder for finder in sys.meta_path if not isinstance(finder, ImportHooks) and hasattr(finder, "find_spec")]
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._call_after_import(spec.loader, hook)
        return spec

    def _call_after_import(self, loader: Any, hook: Callable[[ModuleType], None]) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:
                hook(module)

        loader.exec_module = exec_module
