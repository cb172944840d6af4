import pytest
import rag_app


@pytest.mark.azure_openai("scenarios/handbook.yaml")
def test_the_documents_are_there(azure_openai):
    answer = rag_app.answer("vs_handbook", "When are refunds paid?")
    assert answer == "Refunds are paid within 14 days of the return. (refunds.md)"
    azure_openai.assert_not_called("createFile")


def test_documents_of_this_test(azure_openai):
    state = azure_openai.given(
        files={"shipping": "Parcels to Norway take five working days."},
        vector_stores={"handbook": {"files": ["shipping"]}},
    )
    azure_openai.when(user="five working days").respond("Five days.")
    assert rag_app.answer(state.vector_stores["handbook"].id, "How long do parcels take?") == "Five days."
