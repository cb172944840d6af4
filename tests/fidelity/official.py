"""The official document itself and a validator of others, for a second opinion where both are at hand; they are kept outside this repository."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

Json = Any
MATERIAL = Path(__file__).parents[3] / "shared"
DOCUMENT = MATERIAL / "spec" / "azure-v1-2026-03.yaml"
_TOOL = MATERIAL / "tools" / "spec_validate.py"


@cache
def _validator() -> Any:
    """The validator, which takes half a second to read the document; None where it is absent."""
    if not (DOCUMENT.exists() and _TOOL.exists()):
        return None
    spec = importlib.util.spec_from_file_location("spec_validate", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["spec_validate"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SpecValidator([str(DOCUMENT)])


def second_opinion(method: str, path: str, status: int, content_type: str, text: str, request: Json = None) -> list[str]:
    """What the validator finds serious in an answer, as `document.findings` takes it; nothing where it is absent."""
    if (validator := _validator()) is None:
        return []
    found = validator.response(method, f"/openai/v1{path}", status, content_type or "application/json", text, request)
    return [str(one) for one in found if one.severity in ("error", "stream")]
