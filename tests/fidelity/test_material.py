"""What is checked in is what the scripts derive from the material; where that is absent, so is this module."""

from __future__ import annotations

import derive_objects
import derive_recordings
import derive_shapes
import pytest
from fidelity import objects, recorded, shapes
from fidelity.material import records
from fidelity.official import DOCUMENT, MATERIAL
from fidelity.play import play
from fidelity.recorded import Row, rows

TRAFFIC = MATERIAL / "traffic" / "recorded.jsonl"
WHOLE = tuple(Row(**record) for record in records(TRAFFIC))


def test_the_table_of_shapes_is_derived_from_the_document() -> None:
    assert shapes.TABLE.read_text(encoding="utf-8") == derive_shapes.derive(DOCUMENT)


def test_the_reduced_recordings_are_derived_from_the_whole_ones() -> None:
    assert recorded.RECORDINGS.read_text(encoding="utf-8") == derive_recordings.derive(TRAFFIC)


def test_the_shapes_of_stored_objects_are_derived_from_the_recordings() -> None:
    assert objects.OBJECTS.read_text(encoding="utf-8") == derive_objects.derive(TRAFFIC)


@pytest.mark.parametrize(("reduced", "whole"), list(zip(rows(), WHOLE, strict=True)), ids=[row.id for row in WHOLE])
def test_a_reduced_recording_differs_from_our_answer_where_the_whole_one_does(reduced: Row, whole: Row) -> None:
    found = [{(one.kind, one.path) for one in play(row, among)} for row, among in ((reduced, rows()), (whole, WHOLE))]
    assert found[0] == found[1]
