import my_app


def test_greeting(azure_openai):
    azure_openai.when(operation="createChatCompletion").respond("Hi there!")
    assert my_app.chat("hello") == "Hi there!"
    azure_openai.assert_called("createChatCompletion", times=1)
