"""JSON schemas: plausible instances of them, and the service's rules for strict ones.

Covers the structured-outputs subset of JSON Schema and its everyday surroundings (`oneOf`, `allOf`, `prefixItems`, string
and number limits). `not`, `if`, `contains`, `patternProperties` and `dependent…` do not shape an instance.
"""

from __future__ import annotations

from mockserver.model.json_schema.instances import make_instance
from mockserver.model.json_schema.loose import loose_problem
from mockserver.model.json_schema.strict import normalise_strict, strict_problem

__all__ = ["loose_problem", "make_instance", "normalise_strict", "strict_problem"]
