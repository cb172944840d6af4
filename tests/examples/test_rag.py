import pytest
import rag_app
from openai import BadRequestError

HANDBOOK = {
    "refunds.md": "Refunds are paid within 14 days of the return.",
    "shipping.txt": "Parcels to Norway take five working days.",
    "hours.html": "<h1>Hours</h1><p>The shop is open on Saturdays from 9 to 13.</p>",
}


@pytest.fixture
def handbook(tmp_path):
    for name, text in HANDBOOK.items():
        (tmp_path / name).write_text(text)
    return sorted(tmp_path.iterdir())


@pytest.mark.azure_openai("../../scenarios/rag.yaml")
def test_an_answer_comes_from_the_right_document(azure_openai, handbook):
    store_id = rag_app.index(handbook)
    assert rag_app.answer(store_id, "When are refunds paid?") == "Refunds are paid within 14 days of the return. (refunds.md)"
    assert "9 to 13" in rag_app.answer(store_id, "Is the shop open on Saturdays?")
    assert rag_app.answer(store_id, "Who won the cup?") == "I do not know."
    azure_openai.assert_called("createFile", times=3)
    azure_openai.assert_called("searchVectorStore", times=3)


def test_the_tool_file_search_quotes_and_cites(azure_openai, handbook):
    text, sources = rag_app.answer_with_sources(rag_app.index(handbook), "When are refunds paid?")
    assert "within 14 days" in text
    assert sources == ["refunds.md"]


def test_the_tool_file_search_with_words_of_your_own(azure_openai, handbook):
    azure_openai.when(user="refunds").respond(items=[{"type": "file_search_call"}], text="We say: {{ search.best.text }}")
    text, _ = rag_app.answer_with_sources(rag_app.index(handbook), "When are refunds paid?")
    assert text == f"We say: {HANDBOOK['refunds.md']}"


def test_a_document_that_cannot_be_read(azure_openai, tmp_path):
    (tmp_path / "scan.bmp").write_bytes(b"BM")
    with pytest.raises(ValueError, match="The file type is not supported"):
        rag_app.index([tmp_path / "scan.bmp"])


def test_a_store_that_was_not_used_for_a_week(azure_openai, handbook):
    store_id = rag_app.index(handbook)
    azure_openai.clock.advance("6d")
    rag_app.answer(store_id, "When are refunds paid?")
    azure_openai.clock.advance("6d")
    rag_app.answer(store_id, "When are refunds paid?")
    azure_openai.clock.advance("7d")
    with pytest.raises(BadRequestError, match="is expired"):
        rag_app.answer(store_id, "When are refunds paid?")
