import my_app
import pytest


@pytest.mark.azure_openai(intercept=True)
def test_an_address_in_the_code(azure_openai):
    azure_openai.when(user="hello").respond("Hi from here!")
    assert my_app.greet_from_afar("hello") == "Hi from here!"
