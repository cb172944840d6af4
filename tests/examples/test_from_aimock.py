import my_app


def test_greeting(azure_openai):
    azure_openai.when(user="hello").respond({"error": "rate_limit", "retry_after": 0.1}, "Hi there!")
    assert my_app.chat("hello") == "Hi there!"
    assert len(azure_openai.calls()) == 2
