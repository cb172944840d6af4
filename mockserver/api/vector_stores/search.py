"""What is in a vector store: its chunks that answer a query, and the text of a file. Pages are as the spec and the SDK have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.vector_stores.family import operation
from mockserver.api.vector_stores.requests import RankingOptions, SearchRequest
from mockserver.model.search.filters import FilterError
from mockserver.model.search.ranking import Ranking
from mockserver.operations.call import Call, Result
from mockserver.resource import indexing, search, vector_stores

if TYPE_CHECKING:
    from mockserver.resource.search import Hit

Json = Any


@operation("POST", "/vector_stores/{vector_store_id}/search", "searchVectorStore", body=SearchRequest)
def search_store(call: Call) -> Result:
    """Search a store, by which it lives on. There is one page: no request can ask for another (spec).

    Raises ApiError 400 for a filter that is none, and where the store is expired (inferred).
    """
    body: SearchRequest = call.body
    vector_store_id = vector_stores.use(call.resource, call.path["vector_store_id"], call.now)["id"]
    try:
        hits = search.search(
            call.resource.store,
            [vector_store_id],
            body.query,
            max_num_results=body.max_num_results,
            filters=body.filters,
            ranking=_ranking(body.ranking_options),
            rewrite_query=body.rewrite_query,
        )
    except FilterError as error:
        param = f"filters.{error.path}" if error.path else "filters"
        raise errors.invalid_value(param, f"Invalid '{param}': {error.message}.") from None
    page = {"object": "vector_store.search_results.page", "search_query": hits.queries}
    return Result(page | {"data": [_result(hit) for hit in hits.data], "has_more": False, "next_page": None})


def _ranking(options: RankingOptions) -> Ranking:
    hybrid = options.hybrid_search
    if hybrid is None:
        return Ranking(options.ranker, options.score_threshold)
    return Ranking(options.ranker, options.score_threshold, hybrid.embedding_weight, hybrid.text_weight)


def _result(hit: Hit) -> dict[str, Json]:
    return {
        "file_id": hit.file_id,
        "filename": hit.filename,
        "score": hit.score,
        "attributes": hit.attributes or {},
        "content": [{"type": "text", "text": hit.text}],
    }


@operation("GET", "/vector_stores/{vector_store_id}/files/{file_id}/content", "retrieveVectorStoreFileContent")
def content(call: Call) -> Result:
    """The text that was read out of a file, in one piece (documented on the sister service). One that is not indexed has none."""
    vector_store_id = vector_stores.find(call.resource.store, call.path["vector_store_id"])["id"]
    document = indexing.read(call.resource, vector_store_id, call.path["file_id"], call.now)
    done = document["status"] == "completed"
    texts = [{"type": "text", "text": indexing.text(call.resource.store, document["id"])}] if done else []
    return Result({"object": "vector_store.file_content.page", "data": texts, "has_more": False, "next_page": None})
