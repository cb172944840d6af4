import my_app


def test_greeting(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    assert my_app.greet("hello") == "Hi there!"
    azure_openai.assert_called(user="hello", times=1)


def test_greeting_with_the_older_client(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    assert my_app.chat_the_old_way("hello") == "Hi there!"
    azure_openai.assert_called("createChatCompletion", deployment="gpt-4o")
