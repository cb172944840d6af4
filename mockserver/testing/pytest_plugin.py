"""The pytest plugin, loaded by every pytest where mockserver is installed: it imports nothing else until it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from mockserver.testing.fixture import Factory
    from mockserver.testing.lease import Leases
    from mockserver.testing.mock import Mock
    from mockserver.testing.server import MockServer

LEASES: pytest.StashKey[Leases] = pytest.StashKey()
ROWS: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the flags and the ini keys."""
    from mockserver.testing.options import OPTIONS

    group = parser.getgroup("azure_openai", "mock Azure OpenAI (azure-openai-mockserver)")
    group.addoption(
        "--azure-openai-report", action="store_true", help="Print what each test called, and how its client behaved."
    )
    parser.addini(
        "azure_openai_scenario", "Scenario files and folders for tests whose marker names none.", "paths", default=None
    )
    for name, setting in OPTIONS.items():
        is_flag = setting.kind.name == "flag"
        if "pytest" in setting.at:
            traits: dict[str, Any] = {"action": "store_true", "default": None} if is_flag else {"metavar": name.upper()}
            group.addoption(f"--azure-openai-{setting.name.replace('_', '-')}", help=setting.help, **traits)
        if "ini" in setting.at:
            kind: Any = "bool" if is_flag else "args" if setting.kind.name == "names" else "string"
            parser.addini(f"azure_openai_{name}", setting.help, kind, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    from mockserver.testing.options import OPTIONS

    options = ", ".join(name for name, setting in OPTIONS.items() if not setting.deprecated)
    config.addinivalue_line(
        "markers", f"azure_openai(*scenarios, **options): script the test's azure_openai with scenarios; options: {options}."
    )


@pytest.fixture(scope="session")
def azure_openai_server() -> Iterator[MockServer]:
    """The server behind all `azure_openai` of this process, on a free port. Override it to choose host or port."""
    from mockserver.testing.server import MockServer

    with MockServer(key="azure-openai-server-key") as server:
        yield server


@pytest.fixture(scope="session")
def azure_openai_factory(azure_openai_server: MockServer, pytestconfig: pytest.Config) -> Factory:
    """Resources for a class, a module, a session: `with azure_openai_factory("x.yaml", strict=True) as mock: yield mock`."""
    from mockserver.testing.fixture import Factory
    from mockserver.testing.lease import Leases

    pytestconfig.stash[LEASES] = Leases(pytestconfig.getoption("azure_openai_report"))
    return Factory(azure_openai_server, pytestconfig, pytestconfig.stash[LEASES])


@pytest.fixture
def azure_openai(request: pytest.FixtureRequest, azure_openai_factory: Factory) -> Iterator[Mock]:
    """A fresh Azure OpenAI resource for this test; the environment leads to it, and real hosts are out of reach."""
    with azure_openai_factory.for_test(request.node) as mock:
        yield mock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to the report of a failed test the calls to its resources."""
    report = yield
    leases = item.config.stash.get(LEASES, None)
    if leases is not None:
        leases.add_evidence(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test for what it did with a resource that others use after it."""
    failure = ""
    try:
        yield
    finally:
        leases = item.config.stash.get(LEASES, None)
        if leases is not None:
            failure = leases.end_test()
    if failure:
        pytest.fail(failure, pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under xdist, hand what the report needs to the controlling process."""
    leases, output = session.config.stash.get(LEASES, None), getattr(session.config, "workeroutput", None)
    if leases is not None and output is not None:
        output["azure_openai"] = leases.rows


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Under xdist, take what a worker hands over."""
    rows = getattr(node, "workeroutput", {}).get("azure_openai", [])
    node.config.stash.setdefault(ROWS, []).extend(rows)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the report, with `--azure-openai-report`."""
    if not config.getoption("azure_openai_report"):
        return
    from mockserver.testing.summary import lines

    leases = config.stash.get(LEASES, None)
    terminalreporter.section("azure_openai")
    for line in lines([*(leases.rows if leases is not None else []), *config.stash.get(ROWS, [])]):
        terminalreporter.write_line(line)
