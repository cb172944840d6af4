import subprocess
import sys
from pathlib import Path


def test_a_program(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    program = [sys.executable, Path(__file__).with_name("my_app.py"), "hello"]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stdout == "Hi there!"
    azure_openai.assert_called(user="hello", times=1)
