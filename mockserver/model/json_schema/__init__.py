"""JSON schemas: plausible instances of them, and what the service objects to in a strict one.

Covers the structured-outputs subset of JSON Schema and its everyday surroundings (`oneOf`, `allOf`, `prefixItems`, string
and number limits). `not`, `if`, `contains`, `patternProperties` and `dependent…` do not shape an instance.
"""

from __future__ import annotations

from mockserver.model.json_schema.instances import instance
from mockserver.model.json_schema.strict import normalised_strict, strict_problem

__all__ = ["instance", "normalised_strict", "strict_problem"]
