import csv

import pytest
import tuning_app
from openai import OpenAI

from mockserver import MockServer

DISHES = ("soup", "bread", "rice", "beans", "pasta", "salad", "cake", "stew", "curry", "pie")
PAIRS = [(f"How do I keep {dish}?", f"Keep {dish} in the fridge.") for dish in DISHES]
ACCOUNT = "/subscriptions/1/resourceGroups/food/providers/Microsoft.CognitiveServices/accounts/fabrikam"


def test_a_trained_model_answers_like_its_examples(azure_openai):
    job = tuning_app.train(PAIRS, "kitchen")
    assert job.fine_tuned_model.startswith("gpt-4.1-mini-2025-04-14.ft-")
    assert job.fine_tuned_model.endswith("-kitchen")
    assert tuning_app.answer(job.fine_tuned_model, "How do I keep rice?") == "Keep rice in the fridge."
    azure_openai.when(user="rice").respond("Scripted.")
    assert tuning_app.answer(job.fine_tuned_model, "How do I keep rice?") == "Scripted."


def test_the_loss_falls(azure_openai):
    job = tuning_app.train(PAIRS, "kitchen")
    results = azure_openai.client.files.content(job.result_files[0]).text
    losses = [float(row["train_loss"]) for row in csv.DictReader(results.splitlines())]
    assert sum(losses[:10]) > sum(losses[-10:])


def test_a_file_with_too_few_examples(azure_openai):
    with pytest.raises(RuntimeError, match=r"has 3 example\(s\), but must have at least 10"):
        tuning_app.train(PAIRS[:3], "kitchen")


@pytest.mark.azure_openai("../../scenarios/fine-tune.yaml", rules_unused="ok")
@pytest.mark.parametrize(
    ("suffix", "message"),
    [("harmful-data", "failed RAI checks"), ("harmful-model", "unable to be deployed"), ("broken", "internal error")],
)
def test_a_job_that_fails(azure_openai, suffix, message):
    with pytest.raises(RuntimeError, match=message):
        tuning_app.train(PAIRS, suffix)


def test_a_model_is_copied_and_called_in_another_region():
    contoso = {"resource": {"name": "contoso", "region": "East US 2", "keys": ["one"]}}
    fabrikam = {"resource": {"name": "fabrikam", "region": "Sweden Central", "keys": ["two"]}}
    with MockServer([contoso, fabrikam]) as mock, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", mock.base_url)
        patch.setenv("OPENAI_API_KEY", "two")
        tuning_app.train(PAIRS, "first")  # a destination must have had a job
        patch.setenv("OPENAI_API_KEY", "one")
        job = tuning_app.train(PAIRS, "kitchen")
        with OpenAI() as client:
            assert tuning_app.copy(client, job, job.fine_tuned_model, ACCOUNT, "Sweden Central") == "Completed"
        patch.setenv("OPENAI_API_KEY", "two")
        assert tuning_app.answer(job.fine_tuned_model, "How do I keep pie?") == "Keep pie in the fridge."
