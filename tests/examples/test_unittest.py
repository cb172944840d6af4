import unittest

import my_app
import pytest


class GreetingTest(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _resource(self, azure_openai):
        self.azure_openai = azure_openai

    def test_greeting(self):
        self.azure_openai.when(user="hello").respond("Hi there!")
        assert my_app.greet("hello") == "Hi there!"
        self.azure_openai.assert_called(user="hello", times=1)
