"""Numbers in the queries of all lists: whole ones in ASCII digits, and Azure's error for everything else."""

from __future__ import annotations

from urllib.parse import quote

import httpx2
import pytest
from fidelity.shapes import table
from support.azure_errors import assert_azure_error
from support.examples import Caller, make

from mockserver import MockServer
from mockserver.operations.table import TABLE, Operation

LISTS = [
    operation
    for operation in TABLE.all()
    if operation.emulated and "limit?" in table()["operations"].get(f"{operation.method} {operation.path}", {}).get("query", {})
]
NO_NUMBERS = ("--5", "٣", "²", "+5", " 5", "5 ", "1_0", "5.0", "1e1", "0x5", "x", "true", "9" * 400, "-", "nan", "\x00", "5,6")


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.id)
def test_what_is_no_whole_number_is_refused_everywhere(http: httpx2.Client, mock: MockServer, operation: Operation) -> None:
    caller = Caller(http, mock.base_url, mock.api_key)
    ids = make(caller, operation.path) or {}
    path = operation.path.format_map(ids)
    preview = {operation.preview: "preview"} if operation.preview else {}
    for text in NO_NUMBERS:
        refused = caller.send("GET", f"{path}?limit={quote(text)}", headers=preview)
        assert_azure_error(refused, 400, param="limit", code="invalid_type")
    for query in ("limit=", "limit=2&limit=3", "limit=1", "order=&limit=5"):
        assert caller.send("GET", f"{path}?{query}", headers=preview).status_code == 200, query


def test_all_lists_are_tried() -> None:
    assert {"listChatCompletions", "listFiles", "listConversationItems", "listInputItems"} & {one.id for one in LISTS}
    assert len(LISTS) > 8
