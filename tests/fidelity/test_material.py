"""What is checked in is what the scripts derive from the material; where that is absent, so is this module."""

from __future__ import annotations

import derive_shapes
from fidelity import shapes
from fidelity.official import DOCUMENT


def test_the_table_of_shapes_is_derived_from_the_document() -> None:
    assert shapes.TABLE.read_text(encoding="utf-8") == derive_shapes.derive(DOCUMENT)
