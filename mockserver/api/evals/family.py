"""What all operations of the family share: indented answers with a charset, the headers of machine learning (recorded), the opt-in."""

from __future__ import annotations

from typing import Any

from mockserver.operations.call import Result
from mockserver.operations.table import family

operation = family(style="pretty", headers="machine-learning", preview="aoai-evals")
_TYPE = (b"content-type", b"application/json; charset=utf-8")


def answer(payload: Any, status: int = 200) -> Result:
    """An object as the service sends it."""
    return Result(payload, status, [_TYPE])
