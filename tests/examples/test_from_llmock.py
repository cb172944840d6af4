import my_app


def test_limits_are_survived(azure_openai):
    limit = {"error": "rate_limit", "retry_after": 0.5}
    azure_openai.when().respond(limit, limit, "Hi there!")
    assert my_app.chat("hello") == "Hi there!"
    azure_openai.verdict().assert_ok()
