import my_app


def test_a_limit_is_waited_for(azure_openai):
    azure_openai.when(user="hello").respond({"error": "rate_limit", "retry_after": 0.1}, "Hi there!")
    assert my_app.chat("hello") == "Hi there!"
    azure_openai.assert_called("createChatCompletion", user="hello", times=2)
