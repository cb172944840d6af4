"""The tool `file_search`: what it may look like, which vector stores it searches, and what it finds there.

What searches is imported when the first request has the tool, since most have not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.responses import refusals
from mockserver.model.prompt import Passage
from mockserver.operations.complaints import check_range, describe, short_array
from mockserver.operations.members import Members, check
from mockserver.resource import vector_stores

if TYPE_CHECKING:
    from mockserver.operations.call import Call

Json = Any
Object = dict[str, Json]
FOUND_AT_MOST = 20
"""How many results there are where the tool does not say (wire: the echo of the tool)."""

_RANKING: Members = {
    "ranker": ("none", "auto", "default-2024-11-15"),
    "score_threshold": "number",
    "hybrid_search": "object",
}
_HYBRID: Members = {"embedding_weight": "number", "text_weight": "number"}


def refuse_file_search(tool: Object, path: str) -> None:
    """Check a tool whose members are of the right kinds. Raises ApiError 400 for the first mistake."""
    check_range(f"{path}.max_num_results", tool.get("max_num_results"), 1, 50)
    for at, name in enumerate(tool["vector_store_ids"]):
        if not isinstance(name, str):
            raise errors.invalid_type(f"{path}.vector_store_ids[{at}]", "a string", describe(name))
    if not tool["vector_store_ids"]:
        raise short_array(f"{path}.vector_store_ids", 1, 0)
    _refuse_ranking(tool.get("ranking_options") or {}, f"{path}.ranking_options")
    if tool.get("filters") is not None:
        _refuse_filter(tool["filters"], f"{path}.filters")


def _refuse_filter(filters: Json, path: str) -> None:
    from mockserver.model.search.filters import FilterError, compile_filter

    try:
        compile_filter(filters)
    except FilterError as error:
        param = f"{path}.{error.path}" if error.path else path
        raise errors.invalid_value(param, f"Invalid '{param}': {error.message}.") from None


def _refuse_ranking(options: Object, path: str) -> None:
    check(options, path, {}, _RANKING)
    check_range(f"{path}.score_threshold", options.get("score_threshold"), 0.0, 1.0)
    if options.get("hybrid_search") is not None:
        check(options["hybrid_search"], f"{path}.hybrid_search", _HYBRID, {})


def retrieval(call: Call, tools: list[Object] | None, query: str) -> Callable[[], tuple[Passage, ...]]:
    """What the first file search of a request finds for a query: a function that searches when it is called first.

    Raises ApiError 404 for a vector store that the resource does not have, 400 for one that is expired.
    """
    searches = [tool for tool in tools or () if tool["type"] == "file_search"]
    for tool in searches:
        _use_stores(call, tool["vector_store_ids"])
    if not searches:
        return tuple

    @cache
    def passages() -> tuple[Passage, ...]:
        return _search(call, searches[0], query)

    return passages


def _use_stores(call: Call, vector_store_ids: list[str]) -> None:
    """Being offered to a model is a store's activity, whether or not the model then searches."""
    unknown = [name for name in vector_store_ids if call.resource.store.get(vector_stores.VECTOR_STORE, name) is None]
    if unknown:
        raise refusals.vector_stores_not_found(unknown)
    for name in vector_store_ids:
        vector_stores.use(call.resource, name, call.now)


def _search(call: Call, tool: Object, query: str) -> tuple[Passage, ...]:
    from mockserver.model.search.ranking import Ranking
    from mockserver.resource import search

    options = tool.get("ranking_options") or {}
    hybrid = options.get("hybrid_search") or {"embedding_weight": 1.0, "text_weight": 0.0}
    ranking = Ranking(
        options.get("ranker") or "auto",
        options.get("score_threshold") or 0.0,
        hybrid["embedding_weight"],
        hybrid["text_weight"],
    )
    hits = search.search(
        call.resource.store,
        tool["vector_store_ids"],
        query,
        max_num_results=tool.get("max_num_results") or FOUND_AT_MOST,
        filters=tool.get("filters"),
        ranking=ranking,
    )
    return tuple([Passage(hit.file_id, hit.filename, hit.score, hit.attributes, hit.text) for hit in hits.data])
