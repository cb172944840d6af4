import my_app
import openai
import pytest


@pytest.mark.azure_openai(strict=True, unmatched="ok")
def test_the_application_survives_a_refusal(azure_openai):
    with pytest.raises(openai.NotFoundError, match="no rule of the scenario matches"):
        my_app.greet("hello")


@pytest.mark.azure_openai({"rules": [{"when": {"user": "goodbye"}, "respond": "Bye!"}]}, rules_unused="ok")
def test_a_rule_may_stay_unused(azure_openai):
    my_app.greet("hello")
