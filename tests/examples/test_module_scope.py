import my_app
import pytest


@pytest.fixture(scope="module")
def greeter(azure_openai_factory):
    with azure_openai_factory("tests/examples/scenarios/greetings.yaml", strict=True) as mock:
        yield mock


def test_the_first_call_of_all_is_turned_away(greeter):
    assert my_app.greet("hello") == "Hello at last!"
    assert greeter.requests[0].status == 429


def test_every_other_call_is_answered(greeter):
    assert my_app.greet("hello again") == "Hello at last!"
    assert greeter.requests[-1].status == 200
