import sys
from pathlib import Path


def test_a_program_for_azure(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    done = azure_openai.run([sys.executable, Path(__file__).with_name("azure_app.py"), "hello"])
    assert (done.returncode, done.stdout) == (0, "Hi there!")
    azure_openai.assert_called(user="hello", times=1)
