import my_app
import pytest


@pytest.mark.azure_openai("scenarios/greetings.yaml", strict=True)
def test_a_limit_is_waited_for(azure_openai):
    assert my_app.greet("hello") == "Hello at last!"
    assert [exchange.status for exchange in azure_openai.requests] == [429, 200]


@pytest.mark.azure_openai(seed=7, frozen=1_790_000_000)
def test_time_stands_still(azure_openai):
    my_app.greet("hello")
    assert azure_openai.clock.advance("24h") == 1_790_086_400
    my_app.greet("good morning")
    assert [exchange.at for exchange in azure_openai.requests] == [1_790_000_000, 1_790_086_400]
