from __future__ import annotations

import json

import pytest

from mockserver.model import content_filter
from mockserver.model.content_filter import completion_results, filter_result, prompt_results, responses_filters
from mockserver.model.reply import FilterResult

SAFE = '{"filtered":false,"severity":"safe"}'
CLEAR = '{"detected":false,"filtered":false}'


def written(results: object) -> str:
    return json.dumps(results, separators=(",", ":"))


def test_a_prompt_without_findings_is_told_as_recorded() -> None:
    expected = f'{{"hate":{SAFE},"jailbreak":{CLEAR},"self_harm":{SAFE},"sexual":{SAFE},"violence":{SAFE}}}'
    assert written(prompt_results(None)) == written(prompt_results(FilterResult())) == expected


def test_an_answer_without_findings_is_told_as_recorded() -> None:
    protected = f'"protected_material_code":{CLEAR},"protected_material_text":{CLEAR}'
    expected = f'{{"hate":{SAFE},{protected},"self_harm":{SAFE},"sexual":{SAFE},"violence":{SAFE}}}'
    assert written(completion_results(None)) == written(completion_results(FilterResult())) == expected


def test_everyday_results_are_shared() -> None:
    assert prompt_results(None) is prompt_results(None)
    assert completion_results(None) is completion_results(None)


def test_a_category_alone_means_its_worst() -> None:
    assert filter_result("violence") == FilterResult({"violence": "high"}, blocked=True)
    assert filter_result("jailbreak") == FilterResult({"jailbreak": True}, blocked=True)


@pytest.mark.parametrize(
    ("found", "blocked"),
    [
        ({"hate": "low"}, False),
        ({"hate": "medium"}, True),
        ({"hate": "low", "sexual": "high"}, True),
        ({"profanity": False}, False),
        ({"profanity": True}, True),
        ({"hate": "high", "blocked": False}, False),
        ({"hate": "low", "blocked": True}, True),
        ({"hate": "high", "failed": True}, False),
        ({}, False),
    ],
)
def test_medium_and_detections_block_unless_told_otherwise(found: dict[str, str | bool], blocked: bool) -> None:
    assert filter_result(found).blocked is blocked


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("rudeness", "'rudeness' is not a category of the content filter; there are hate, self_harm"),
        ({"hate": "extreme"}, "hate has a severity: one of safe, low, medium, high, not 'extreme'"),
        ({"jailbreak": "high"}, "jailbreak is true or false, not 'high'"),
        ({"blocked": "yes"}, "blocked is true or false"),
    ],
)
def test_what_the_filter_does_not_know_is_refused(found: str | dict[str, str | bool], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        filter_result(found)


def test_findings_are_marked_as_filtered_and_sorted_in() -> None:
    results = prompt_results(filter_result({"violence": "medium", "hate": "low", "indirect_attack": True}))
    assert list(results) == ["hate", "indirect_attack", "jailbreak", "self_harm", "sexual", "violence"]
    assert results["violence"] == {"filtered": True, "severity": "medium"}
    assert results["hate"] == {"filtered": False, "severity": "low"}
    assert written(results["indirect_attack"]) == '{"detected":true,"filtered":true}'
    assert prompt_results(None)["violence"] == {"filtered": False, "severity": "safe"}


def test_findings_that_are_only_annotated_are_not_filtered() -> None:
    results = completion_results(filter_result({"violence": "high", "profanity": True, "blocked": False}))
    assert results["violence"] == {"filtered": False, "severity": "high"}
    assert results["profanity"] == {"detected": True, "filtered": False}


def test_a_stricter_filter_blocks_low_severity() -> None:
    results = prompt_results(filter_result({"violence": "low", "blocked": True}))
    assert results["violence"] == {"filtered": True, "severity": "low"}


def test_block_lists_and_ungrounded_material_have_details() -> None:
    results = completion_results(filter_result({"custom_blocklists": True, "ungrounded_material": True}))
    assert written(results["custom_blocklists"]) == '{"details":[],"filtered":true}'
    assert written(results["ungrounded_material"]) == '{"details":[],"detected":true,"filtered":true}'


def test_a_filter_that_is_down_says_so() -> None:
    expected = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
    assert prompt_results(filter_result({"failed": True})) == completion_results(filter_result({"failed": True})) == expected


def test_a_responses_object_has_an_entry_for_each_side() -> None:
    prompt, completion = responses_filters(None, filter_result({"protected_material_text": True}), 1164, 438)
    assert list(prompt) == ["blocked", "source_type", "content_filter_raw", "content_filter_results", "content_filter_offsets"]
    assert (prompt["blocked"], prompt["source_type"], prompt["content_filter_raw"]) == (False, "prompt", [])
    assert list(prompt["content_filter_results"]) == ["hate", "sexual", "violence", "self_harm", "jailbreak"]
    assert prompt["content_filter_offsets"] == {"start_offset": 0, "end_offset": 1164, "check_offset": 0}
    assert (completion["blocked"], completion["source_type"]) == (True, "completion")
    assert completion["content_filter_results"]["protected_material_text"] == {"detected": True, "filtered": True}
    assert completion["content_filter_offsets"]["end_offset"] == 438


def test_a_response_without_text_has_no_completion_entry() -> None:
    assert [entry["source_type"] for entry in responses_filters(None, None, 10, None)] == ["prompt"]


def test_chunks_of_a_stream_have_shorter_results() -> None:
    assert list(content_filter.STREAM_SEVERITIES) == ["hate", "self_harm", "sexual", "violence"]
    assert content_filter.STREAM_PROTECTED == {"protected_material_text": {"detected": False, "filtered": False}}
