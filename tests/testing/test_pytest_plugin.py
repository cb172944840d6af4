"""The pytest plugin, tried in projects of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from openai import OpenAI

import mockserver.testing.fixture
import mockserver.testing.summary  # noqa: F401
from mockserver import MockServer
from mockserver.scenario.load import parse

pytest_plugins = ["pytester"]

APP = """
from openai import AzureOpenAI, OpenAI


def greet(text, make=OpenAI, model="gpt-4.1-nano", **options):
    with make(**options) as client:
        return client.responses.create(model=model, input=text).output_text


def chat(text, make=OpenAI, model="gpt-4o"):
    with make() as client:
        messages = [{"role": "user", "content": text}]
        return client.chat.completions.create(model=model, messages=messages).choices[0].message.content


def chat_the_old_way(text, model="gpt-4o"):
    return chat(text, AzureOpenAI, model)
"""

# Plugins that take longer to load than these tests to run.
PLAIN = [part for name in ("hypothesispytest", "faker", "inline_snapshot", "cacheprovider") for part in ("-p", f"no:{name}")]

QUIET = [*PLAIN, "-p", "no:asyncio"]

GREETINGS = """
rules:
  - {name: greeting, when: {user: hello}, respond: Hi there!}
  - {name: farewell, when: {user: goodbye}, respond: Bye!}
"""


@pytest.fixture(scope="session")
def loaded() -> None:
    """What the runs below import, imported here: pytester makes every run forget what it imported itself."""
    parse(GREETINGS)
    with MockServer() as server, OpenAI(base_url=server.base_url, api_key=server.api_key) as client:
        client.responses.create(model="gpt-4o", input="hello")
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
        server.verdict()


@pytest.fixture
def project(loaded: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project with an application, and a scenario beside its tests."""
    monkeypatch.delitem(sys.modules, "my_app", raising=False)
    pytester.makepyfile(my_app=APP)
    pytester.makefile(".yaml", greetings=GREETINGS)
    return pytester


def run(project: pytest.Pytester, test: str, *arguments: str) -> pytest.RunResult:
    """Run one test file in this process; warnings are errors."""
    project.makepyfile(test)
    return project.runpytest_inprocess("-W", "error", *QUIET, "--strict-markers", *arguments)


# -- what it is for


def test_a_test_that_names_the_fixture_is_all_it_takes(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app

        def test_greeting(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            assert my_app.greet("hello") == "Hi there!"          # my_app uses OpenAI() or AzureOpenAI(), unchanged
            azure_openai.assert_called(user="hello", times=1)

        def test_the_older_client(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            assert my_app.chat_the_old_way("hello") == "Hi there!"
            azure_openai.assert_called("createChatCompletion", user="hello", times=1)
        """,
    )
    result.assert_outcomes(passed=2)


def test_every_test_has_a_resource_of_its_own(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app
        import pytest

        resources = []

        @pytest.mark.parametrize("number", [1, 2, 3])
        def test_alone(azure_openai, number):
            assert azure_openai.requests == []
            assert azure_openai.script.rules == ()
            azure_openai.when(user="hello").respond(f"answer {number}")
            azure_openai.clock.advance("24h")
            assert my_app.greet("hello") == f"answer {number}"
            resources.append((azure_openai.resource.name, azure_openai.api_key, azure_openai.endpoint))

        def test_names_and_keys_differ_and_the_server_is_one():
            names, keys, endpoints = map(set, zip(*resources))
            assert (len(names), len(keys), len(endpoints)) == (3, 3, 1)
        """,
    )
    result.assert_outcomes(passed=4)


def test_a_client_that_outlives_its_test_serves_the_next(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import functools
        import openai
        import pytest

        @functools.cache
        def client():
            return openai.OpenAI()

        @pytest.mark.parametrize("number", [1, 2])
        def test_greeting(azure_openai, number):
            azure_openai.when(user="hello").respond(f"answer {number}")
            answer = client().responses.create(model="gpt-4o", input="hello")
            assert answer.output_text == f"answer {number}"
            azure_openai.assert_called(times=1)

        def test_afterwards(azure_openai_server):
            with pytest.raises(openai.AuthenticationError):
                client().responses.create(model="gpt-4o", input="hello")
            client().close()
        """,
    )
    result.assert_outcomes(passed=3)


def test_the_sdk_s_own_client_calls_the_mock_and_is_forgotten(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import openai
        import pytest

        openai.api_key = "sk-real"

        @pytest.mark.parametrize("number", [1, 2])
        def test_inside(azure_openai, number):
            azure_openai.when(user="hello").respond(f"answer {number}")
            assert openai.responses.create(model="gpt-4o", input="hello").output_text == f"answer {number}"
            assert azure_openai.requests[0].headers["authorization"] == f"Bearer {azure_openai.api_key}"

        def test_outside():
            assert openai.api_key == "sk-real"
            assert (openai.http_client, openai._client, openai.api_type) == (None, None, None)
            openai.api_key = None
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_wrong_key_is_refused_in_the_journal_of_the_test(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app
        import openai
        import pytest

        def test_wrong(azure_openai):
            with pytest.raises(openai.AuthenticationError):
                my_app.greet("hello", api_key="wrong")
            assert [exchange.status for exchange in azure_openai.requests] == [401]

        @pytest.mark.azure_openai(key="in-the-code")
        def test_accepted(azure_openai):
            my_app.greet("hello", api_key="in-the-code")
            my_app.greet("hello")

        @pytest.mark.azure_openai(key="none")
        def test_any(azure_openai):
            my_app.greet("hello", api_key="whatever")

        def test_only_there(azure_openai):
            with pytest.raises(openai.AuthenticationError):
                my_app.greet("hello", api_key="in-the-code")
        """,
    )
    result.assert_outcomes(passed=4)


# -- the environment


def test_the_environment_is_set_for_the_test_and_restored(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_VERSION", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "a real token")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    result = run(
        project,
        """
        import os
        import my_app

        before = dict(os.environ)

        def test_inside(azure_openai):
            assert os.environ["OPENAI_BASE_URL"] == azure_openai.base_url
            assert os.environ["OPENAI_API_KEY"] == os.environ["AZURE_OPENAI_API_KEY"] == azure_openai.api_key
            assert os.environ["AZURE_OPENAI_ENDPOINT"] == azure_openai.endpoint
            assert "AZURE_OPENAI_AD_TOKEN" not in os.environ
            assert my_app.greet("hello")        # in spite of the proxy
            assert my_app.chat_the_old_way("hello")
            assert len(azure_openai.requests) == 2

        def test_outside():
            ours = {"PYTEST_CURRENT_TEST"}
            assert {k: v for k, v in os.environ.items() if k not in ours} == {k: v for k, v in before.items() if k not in ours}
        """,
    )
    result.assert_outcomes(passed=2)


# -- failures


def test_a_failed_assertion_shows_the_nearest_call(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app

        def test_greeting(azure_openai):
            my_app.greet("good morning")
            azure_openai.assert_called(user="hello", times=1)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * expected exactly one call with user='hello'*", "*good morning*"])


def test_the_journal_of_a_failed_test_is_attached_to_its_report(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app

        def test_wrong(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!", name="greeting")
            my_app.chat_the_old_way("good morning")
            assert my_app.greet("hello") == "Good day!"

        def test_right(azure_openai):
            my_app.greet("a secret")
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- azure_openai journal of test-* -*",
            "*createChatCompletion gpt-4o 'good morning' · improvised · 200",
            "*createResponse gpt-4.1-nano 'hello' · rule 'greeting' · 200",
            "Request 2:",
            '{"model": "gpt-4.1-nano", "input": "hello"}',
            "Response 2:",
            '*"text": "Hi there!"*',
        ]
    )
    result.stdout.no_fnmatch_line("*a secret*")


def test_a_call_that_no_rule_answers_fails_a_strict_test_at_its_end(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import openai
        import my_app
        import pytest

        @pytest.mark.azure_openai(strict=True)
        def test_swallowed(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!", name="greeting")
            my_app.greet("hello")
            with pytest.raises(openai.NotFoundError):
                my_app.greet("good morning")

        @pytest.mark.azure_openai(strict=True, unmatched="ok")
        def test_wanted(azure_openai):
            with pytest.raises(openai.NotFoundError):
                my_app.greet("good morning")
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_swallowed*",
            "1 call matched no rule, and the script is strict:",
            "*'good morning' · unmatched_request · 404",
            "*greeting*",
            "*hello*good morning*",
            "Calls to azure_openai:",
        ]
    )


def test_a_rule_that_answers_nothing_fails_the_test_that_made_it(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app
        import pytest

        def test_own(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            my_app.greet("good morning")

        @pytest.mark.azure_openai("greetings.yaml")
        def test_scenario(azure_openai):
            my_app.greet("hello")

        @pytest.mark.azure_openai("greetings.yaml", rules_unused="ok")
        def test_allowed(azure_openai):
            my_app.greet("hello")

        @pytest.mark.azure_openai("greetings.yaml")
        def test_used(azure_openai):
            my_app.greet("hello")
            my_app.greet("goodbye")
        """,
    )
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_own*",
            "1 rule was never used:",
            "  when(user='hello')",
            "*ERROR at teardown of test_scenario*",
            "  farewell (greetings.yaml:3:5)",
        ]
    )


def test_a_test_that_failed_or_was_skipped_is_not_blamed_again(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import pytest

        def test_fails(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            assert False

        def test_is_skipped(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            pytest.skip("today")

        @pytest.mark.xfail(strict=True)
        def test_is_known_to_fail(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            assert False

        @pytest.fixture
        def broken(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            raise RuntimeError("broken")

        def test_with_a_broken_fixture(broken):
            pass
        """,
    )
    result.assert_outcomes(failed=1, skipped=1, xfailed=1, errors=1)


# -- marker, flags, ini


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("sede=1", "the marker azure_openai: there is no setting 'sede'; did you mean 'seed'?"),
        ("strict='yes'", "the marker azure_openai: strict='yes': expected True or False"),
        ("rules_unused='no'", "*: rules_unused='no': expected 'fail' or 'ok'"),
        ("allow=[1]", "*: allow=*1*: expected text or a list of texts"),
        ("allow=['verbosty']", "allow='verbosty': there is no such refusal; did you mean 'verbosity'?"),
        ("frozen='now'", "*: frozen='now': expected a time in Unix seconds"),
        ("journal_limit=0", "*: journal_limit=0: expected a whole number above 0"),
        ("deployments=['x']", "*expected a mapping of deployments to models"),
        ("deployments={'mine': 'gpt-99'}", "there is no model 'gpt-99' in the catalogue*"),
        ("profile='1999'", "*: profile='1999': expected '2026-01' or '2026-03'"),
        ("7", "a scenario is a path or a mapping, not 7"),
        ("'nowhere.yaml'", "there is no scenario 'nowhere.yaml' in *"),
        ("'bad.yaml'", "bad.yaml:2:6: rules[[]0].whn: unknown key; did you mean 'when'?"),
        ("'greetings.yaml', {'resource': {'name': 'other'}}", "the scenarios describe several resources*other*"),
        ("keys=['azure-openai-server-key']", "two resources share the key 'azure-openai-server-key'*"),
    ],
)
def test_a_mistake_in_the_marker_is_reported_in_its_own_terms(project: pytest.Pytester, marker: str, message: str) -> None:
    project.makefile(".yaml", bad="rules:\n  - {whn: {user: x}, respond: y}\n")
    result = run(
        project,
        f"""
        import pytest

        @pytest.mark.azure_openai({marker})
        def test_it(azure_openai):
            pass

        def test_others_are_fine(azure_openai):
            pass
        """,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["azure_openai cannot be set up:", message])
    result.stdout.no_fnmatch_line("*fixture.py*")


def test_the_nearest_marker_decides_then_flags_then_the_ini_file(project: pytest.Pytester) -> None:
    project.makeini(
        """
        [pytest]
        azure_openai_scenario = greetings.yaml
        azure_openai_seed = from ini
        azure_openai_region = Norway East
        """
    )
    result = run(
        project,
        """
        import pytest

        pytestmark = pytest.mark.azure_openai(seed="from module", strict=False)

        def names(mock):
            return [rule.name for rule in mock.script.rules]

        def test_module(azure_openai):
            assert (azure_openai.resource.seed, azure_openai.resource.region) == ("from module", "Norway East")
            assert names(azure_openai) == ["greeting", "farewell"]
            assert not azure_openai.script.strict

        @pytest.mark.azure_openai(seed="from class", profile="2026-03")
        class TestClass:
            @pytest.mark.azure_openai({"rules": [{"name": "own", "respond": "x"}]}, seed="from test", rules_unused="ok")
            def test_nearest(self, azure_openai):
                assert (azure_openai.resource.seed, azure_openai.resource.profile) == ("from test", "2026-03")
                assert names(azure_openai) == ["own"]

        @pytest.fixture(scope="session")
        def plain(azure_openai_factory):
            with azure_openai_factory() as mock:
                yield mock

        def test_flags(plain):
            assert (plain.resource.seed, plain.resource.region) == ("from flag", "Norway East")
            assert plain.script.strict
        """,
        "--azure-openai-seed=from flag",
        "--azure-openai-strict",
    )
    result.assert_outcomes(passed=3)


def test_numbers_sizes_and_the_deprecated_name_work_in_the_ini_file(project: pytest.Pytester) -> None:
    project.makeini(
        "[pytest]\nazure_openai_journal_limit = 5\nazure_openai_journal_bytes = 2 MiB\nazure_openai_dated = false\nazure_openai_allow = verbosity b.example\n"
    )
    test = """
        def test_it(azure_openai):
            settings = azure_openai.resource.settings
            assert (settings["journal_limit"], settings["journal_bytes"], settings["legacy_api"]) == (5, 2 * 1024 * 1024, False)
            assert settings["allow"] == ("verbosity",)
        """
    run(project, test).assert_outcomes(passed=1)
    result = run(project, test, "-o", "azure_openai_journal_limit=many")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the ini file: journal_limit='many': expected a whole number above 0"])


def test_the_ini_file_can_let_unused_rules_pass(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nazure_openai_rules_unused = ok\n")
    test = """
        import pytest

        @pytest.mark.azure_openai("greetings.yaml")
        def test_it(azure_openai):
            pass
        """
    run(project, test).assert_outcomes(passed=1)
    run(project, test, "-o", "azure_openai_rules_unused=perhaps").assert_outcomes(errors=1)


def test_deployments_and_time_can_be_set(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import openai
        import my_app
        import pytest

        @pytest.mark.azure_openai(deployments={"mine": "gpt-4.1"}, frozen=1_790_000_000, legacy_api=False)
        def test_it(azure_openai):
            with pytest.raises(openai.NotFoundError):
                my_app.greet("hello")
            my_app.greet("hello", model="mine")
            assert azure_openai.requests[-1].response["created_at"] == 1_790_000_000
            with pytest.raises(openai.NotFoundError):
                my_app.chat_the_old_way("hello", model="mine")
        """,
    )
    result.assert_outcomes(passed=1)


def test_the_marker_and_the_options_explain_themselves(project: pytest.Pytester) -> None:
    project.runpytest_inprocess(*QUIET, "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.azure_openai(*scenarios, **options): *"]
    )
    help_text = project.runpytest_inprocess(*QUIET, "--help").stdout
    help_text.fnmatch_lines(["*--azure-openai-report*", "*azure_openai_rules_unused*"])


# -- the guard, and interception


def test_a_call_to_a_real_host_fails_even_where_it_is_swallowed(project: pytest.Pytester) -> None:
    test = """
        import contextlib
        import my_app

        def test_swallowed(azure_openai):
            with contextlib.suppress(BaseException):
                my_app.greet("hello", base_url="https://contoso.openai.azure.com/openai/v1/", max_retries=0)
        """
    result = run(project, test)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_swallowed*", "*contoso.openai.azure.com*OPENAI_BASE_URL*"])


def test_what_the_guard_blocked_is_reported_under_a_failed_test(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app

        def test_it(azure_openai):
            my_app.greet("hello", base_url="https://contoso.openai.azure.com/openai/v1/", max_retries=0)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- azure_openai journal of test-* -*", "*contoso.openai.azure.com*"])


@pytest.mark.parametrize("option", ["guard=False", "allow='example.openai.azure.com'", "allow=['example.openai.azure.com']"])
def test_the_guard_can_allow_hosts(project: pytest.Pytester, option: str) -> None:
    result = run(
        project,
        f"""
        import socket
        import pytest

        @pytest.fixture
        def no_network(monkeypatch):
            def refuse(*arguments, **named):
                raise ConnectionRefusedError("nothing there")

            monkeypatch.setattr(socket, "getaddrinfo", refuse)

        @pytest.mark.azure_openai({option})
        def test_it(no_network, azure_openai):
            with pytest.raises(ConnectionRefusedError, match="nothing there"):
                socket.create_connection(("example.openai.azure.com", 443))
        """,
    )
    result.assert_outcomes(passed=1)


def test_the_marker_can_intercept(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app
        import pytest

        def ask(host):
            return my_app.greet("hello", base_url=f"https://{host}/openai/v1/", api_key="theirs", max_retries=0)

        @pytest.mark.azure_openai(intercept=True)
        def test_all(azure_openai):
            azure_openai.when(user="hello").respond("from here")
            assert ask("contoso.openai.azure.com") == ask("fabrikam.services.ai.azure.com") == "from here"

        @pytest.mark.azure_openai(intercept=["contoso.openai.azure.com"], unmatched="ok")
        def test_one(azure_openai):
            azure_openai.when(user="hello").respond("from here")
            assert ask("contoso.openai.azure.com") == "from here"
        """,
    )
    result.assert_outcomes(passed=2)


# -- wider scopes


def test_a_resource_can_be_shared_and_every_test_answers_for_itself(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import openai
        import my_app
        import pytest

        @pytest.fixture(scope="class")
        def shared(azure_openai_factory):
            with azure_openai_factory("greetings.yaml", strict=True) as mock:
                yield mock

        class TestShared:
            def test_first(self, shared):
                assert my_app.greet("hello") == "Hi there!"

            def test_careless(self, shared):
                with pytest.raises(openai.NotFoundError):
                    my_app.greet("good morning")

            def test_failing(self, shared):
                assert my_app.greet("hello") == "Good day!"

            def test_last(self, shared):
                assert len(shared.requests) == 3

            def test_with_one_of_its_own(self, shared, azure_openai):
                azure_openai.when(user="hello").respond("Mine!")
                assert my_app.greet("hello") == "Mine!"
                assert len(shared.requests) == 3
        """,
    )
    result.assert_outcomes(passed=4, failed=1, errors=1)
    output = result.stdout.str()
    assert output.count("ERROR at teardown of TestShared.test_careless") == 1
    journal = output.partition("azure_openai journal of")[2]
    assert "'hello'" in journal.partition("short test summary")[0]
    assert "'good morning'" not in journal.partition("short test summary")[0]


def test_a_shared_resource_can_ask_for_all_its_rules_to_be_used(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import my_app
        import pytest

        @pytest.fixture(scope="module")
        def shared(azure_openai_factory):
            with azure_openai_factory("greetings.yaml", rules_unused="fail") as mock:
                yield mock

        def test_it(shared):
            my_app.greet("hello")
        """,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["1 rule was never used:", "  farewell (greetings.yaml:3:5)"])


def test_a_second_resource_within_a_test_is_checked_too(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import openai
        import my_app
        import pytest

        def test_two(azure_openai, azure_openai_factory):
            with azure_openai_factory(strict=True) as second:
                assert second.api_key != azure_openai.api_key
                with pytest.raises(openai.NotFoundError):
                    my_app.greet("hello")
            my_app.greet("hello")
            assert len(azure_openai.requests) == 1

        def test_its_own_mistake_comes_first(azure_openai_factory):
            with azure_openai_factory(strict=True):
                my_app.greet("hello")
        """,
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*1 call matched no rule*", "*test_its_own_mistake_comes_first*", "E *NotFoundError*"])


# -- other ways to write and run tests


def test_anyio_and_unittest(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import unittest
        import my_app
        import openai
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_async(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            async with openai.AsyncOpenAI() as client:
                assert (await client.responses.create(model="gpt-4o", input="hello")).output_text == "Hi there!"
            answer = await azure_openai.async_client.responses.create(model="gpt-4o", input="hello")
            assert answer.output_text == "Hi there!"
            assert azure_openai.client.responses.create(model="gpt-4o", input="hello").output_text == "Hi there!"

        @pytest.mark.usefixtures("azure_openai")
        class PlainTest(unittest.TestCase):
            def test_environment(self):
                assert my_app.greet("hello")

        class AsyncTest(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def _resource(self, azure_openai):
                self.azure_openai = azure_openai

            async def test_async(self):
                self.azure_openai.when(user="hello").respond("Hi there!")
                async with openai.AsyncOpenAI() as client:
                    await client.responses.create(model="gpt-4o", input="hello")
                self.azure_openai.assert_called(user="hello", times=1)
        """,
    )
    result.assert_outcomes(passed=3)


def test_pytest_asyncio(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    project.makepyfile(
        """
        import openai

        async def test_async(azure_openai):
            azure_openai.when(user="hello").respond("Hi there!")
            async with openai.AsyncOpenAI() as client:
                assert (await client.responses.create(model="gpt-4o", input="hello")).output_text == "Hi there!"
            azure_openai.assert_called(user="hello", times=1)
        """
    )
    project.runpytest_subprocess(*PLAIN, "-W", "error").assert_outcomes(passed=1)


def test_xdist_keeps_tests_apart_and_reports_them_together(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import json
        import os
        from urllib.request import Request, urlopen

        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_alone(azure_openai, number):
            azure_openai.when(user="hello").respond(f"answer {number}", name=f"rule {number}")
            headers = {"api-key": os.environ["OPENAI_API_KEY"], "content-type": "application/json"}
            request = Request(os.environ["OPENAI_BASE_URL"] + "responses", b'{"model": "m", "input": "hello"}', headers)
            with urlopen(request) as answer:
                assert json.load(answer)["output"][0]["content"][0]["text"] == f"answer {number}"
            azure_openai.assert_called(times=1)
        """
    )
    result = project.runpytest_subprocess(*QUIET, "-W", "error", "-n", "2", "--azure-openai-report")
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(
        ["*test_alone*", "  createResponse: 1 × 200", "  rules: rule * × 1", "8 calls, 8 resources, 0 findings"]
    )


def test_the_report_has_every_resource(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import openai
        import my_app
        import pytest

        @pytest.mark.azure_openai("greetings.yaml", rules_unused="ok")
        def test_rules(azure_openai):
            my_app.greet("hello")

        def test_retried(azure_openai):
            azure_openai.when(user="hello").respond({"error": "bad_request"})
            for attempt in range(2):
                with pytest.raises(openai.BadRequestError):
                    my_app.greet("hello")

        def test_nothing(azure_openai):
            pass
        """,
        "--azure-openai-report",
    )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "*= azure_openai =*",
            "*::test_rules",
            "  createResponse: 1 × 200",
            "  rules: greeting × 1, farewell unused",
            "*::test_retried",
            "  createResponse: 2 × 400",
            "*retried*",
            "*::test_nothing",
            "  no calls",
            "3 calls, 3 resources, 1 finding",
        ]
    )
    assert "azure_openai =" not in run(project, "def test_it(azure_openai): pass").stdout.str()


# -- what it costs


def test_the_plugin_imports_nothing_but_pytest() -> None:
    program = """
        import sys
        import pytest
        before = set(sys.modules)
        import mockserver.testing.pytest_plugin
        print(*sorted(set(sys.modules) - before))
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mockserver", "mockserver.testing", "mockserver.testing.pytest_plugin"]


def test_a_run_that_does_not_use_the_fixture_loads_nothing_more(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it():
            loaded = {name for name in sys.modules if name.startswith("mockserver")}
            names = {"mockserver", "mockserver.settings", "mockserver.testing"}
            assert loaded == names | {"mockserver.testing.options", "mockserver.testing.pytest_plugin"}
        """
    )
    project.runpytest_subprocess(*QUIET, "-W", "error").assert_outcomes(passed=1)


def test_no_thread_and_no_socket_is_left(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        import gc
        import socket
        import threading

        def pytest_unconfigure(config):
            gc.collect()
            left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
            sockets = [one for one in gc.get_objects() if issubclass(type(one), socket.socket) and one.fileno() != -1]
            print("left behind:", left, sockets)
        """
    )
    project.makepyfile(
        """
        def test_it(azure_openai):
            import my_app
            import openai

            my_app.greet("hello")
            azure_openai.client.responses.create(model="gpt-4o", input="hello")
            openai.responses.create(model="gpt-4o", input="hello")
            assert len(azure_openai.requests) == 3

        def test_afterwards():
            import openai

            assert (openai.http_client, openai._client, openai.azure_endpoint, openai.api_type) == (None, None, None, None)
        """
    )
    result = project.runpytest_subprocess(*QUIET, "-W", "error", "-p", "no:xdist")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["left behind: [[][]] [[][]]"])
