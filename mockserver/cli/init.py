"""The command `mockserver init`: a small project to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from mockserver.cli.loading import fail

_SCENARIO = """\
# Which call gets which answer: the first rule that matches wins. Serve it with `mockserver serve scenario.yaml --watch`.
rules:
  - name: greeting
    when: {user: hello}
    respond: Hello! How can I help you?

  - name: busy at first
    when: {user: report}
    respond:
      - {error: rate_limit, retry_after: 0.1}
      - Here is your report.
"""
_TEST = '''\
"""The fixture `azure_openai` comes with mockserver: a fresh resource for each test, to which the environment leads every client."""

import pytest
from openai import OpenAI


def ask(question: str) -> str:
    """Your application, which knows nothing of mocks."""
    return OpenAI().responses.create(model="gpt-4.1-nano", input=question).output_text


@pytest.mark.azure_openai("scenario.yaml")
def test_a_greeting_is_answered(azure_openai):
    assert ask("hello") == "Hello! How can I help you?"
    azure_openai.assert_called(user="hello", times=1)


@pytest.mark.azure_openai("scenario.yaml")
def test_the_client_tries_again_when_the_service_is_busy(azure_openai):
    assert ask("my report, please") == "Here is your report."
    assert [call.status for call in azure_openai.calls()] == [429, 200]
'''
_WORKFLOW = """\
name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.13"}
      - run: pip install openai pytest "azure-openai-mockserver @ git+https://github.com/azure-openai-mockserver/mockserver"
      - run: pytest
"""
FILES = {"scenario.yaml": _SCENARIO, "test_app.py": _TEST, ".github/workflows/test.yml": _WORKFLOW}


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False))
def command(folder: str) -> None:
    """Write a scenario, a test that passes, and a CI step into FOLDER, which is this one by default."""
    for name, content in FILES.items():
        path = Path(folder, name)
        if path.exists():
            click.echo(f"  {path} is there already")
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        except OSError as error:
            fail(f"Cannot write {path}: {error.strerror}.")
        click.echo(f"  {path}")
    click.echo("Next: pip install openai pytest, then pytest; or mockserver serve scenario.yaml --watch.")
