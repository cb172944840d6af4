import my_app
import pytest


@pytest.fixture(scope="module")
def greeter(azure_openai_factory):
    with azure_openai_factory("tests/examples/scenarios/greetings.yaml", strict=True) as mock:
        yield mock


def test_the_first_is_turned_away(greeter):
    my_app.greet("hello")
    assert len(greeter.requests) == 2


def test_the_next_is_not(greeter):
    assert my_app.greet("hello again") == "Hello at last!"
    assert len(greeter.requests) == 3
