"""The command line: serve, check, explain, report, operations, schema."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click

from mockserver import __version__
from mockserver.gateway.preview import PROFILES

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources
    from mockserver.resource.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
PORT = 4650
LEVELS = ("debug", "info", "warning", "error")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def setting(*flags: str, **traits: Any) -> Callable[[Command], Command]:
    """An option that the environment can set too: `--log-level` is `MOCKSERVER_LOG_LEVEL`."""
    long = next(flag for flag in flags if flag.startswith("--")).partition("/")[0]
    return click.option(*flags, envvar="MOCKSERVER_" + long[2:].replace("-", "_").upper(), show_envvar=True, **traits)


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="mockserver")
def main() -> None:
    """A pretend Azure OpenAI resource: the v1 surface, offline, scripted, with every failure on demand."""


@main.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...", type=click.Path(), envvar="MOCKSERVER_SCENARIOS")
@setting("-p", "--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="0 takes a free one.")
@setting("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 makes it reachable from other machines.")
@setting("--key", "keys", multiple=True, help="An API key (repeatable). 'none' turns key checks off.")
@setting("--deployment", "deployments", multiple=True, metavar="NAME=MODEL", help="Declare a deployment (repeatable).")
@setting("--strict/--no-strict", default=None, help="Fail calls that no rule answers.")
@setting("-w", "--watch", is_flag=True, help="Take changed scenario files over; keep the old ones while they are wrong.")
@setting("--profile", type=click.Choice(PROFILES), default=None, help="Whose preview rules apply.")
@setting("--dated/--no-dated", default=None, help="Whether the older client's dated paths are answered.")
@setting("--seed", default=None, help="Decides ids, words and vectors.")
@setting("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
def serve(scenarios: tuple[str, ...], **options: Any) -> None:
    """Serve the scenarios (files or folders), or none: unscripted calls are improvised."""
    from mockserver.app import application
    from mockserver.resource.settings import build_resources
    from mockserver.server.server import Server, listen, run

    settings = _settings(options)
    log_to(sys.stderr, options["log_level"])
    filled = tuple(one for one in scenarios if not _empty_folder(one))
    loaded = _load(filled)
    resources = _or_exit(lambda: build_resources(loaded, settings))
    host, port = options["host"], options["port"]
    try:
        listener = listen(host, port)
    except OSError as error:
        _fail(f"cannot listen on {host}:{port}: {error.strerror}. Try another --port (0 takes a free one).")
    server = Server(application(resources, settings, guarded=not _loopback(host)), loop="auto")
    if options["watch"]:
        from mockserver.cli.watch import Watcher

        server.each_second = Watcher(scenarios, resources, settings).check
    _greet(host, listener.getsockname()[1], resources, filled)
    run(server, listener)


@main.command()
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...", type=click.Path())
def check(scenarios: tuple[str, ...]) -> None:
    """Validate scenario files; exit 1 with file, line, column and key of everything that is wrong."""
    from mockserver.resource.settings import Settings, build_resources

    loaded = _load(scenarios)
    _or_exit(lambda: build_resources(loaded, Settings()))
    rules = sum(len(scenario.rules) for scenario in loaded)
    files = sum(len(scenario.files) for scenario in loaded)
    click.echo(f"ok: {files} {_plural('file', files)}, {rules} {_plural('rule', rules)}")


@main.command()
@click.argument("scenario", type=click.Path())
@click.argument("request", type=click.File("rb"))
@click.option("--operation", default=None, help="The operationId; guessed from the body where it is not given.")
def explain(scenario: str, request: Any, operation: str | None) -> None:
    """Show which rule of SCENARIO answers the JSON body in REQUEST ('-' reads it from the input), and why the others do not."""
    from mockserver.cli.explain import explain_request
    from mockserver.resource.settings import Settings, build_resources

    loaded = _load((scenario,))
    resources = _or_exit(lambda: build_resources(loaded, Settings(keys=())))
    answered, text = explain_request(resources, request.read(), operation)
    click.echo(text)
    sys.exit(0 if answered else 1)


@main.command()
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="Where the server is.")
@click.option("--key", default=None, help="A key of the resource; servers that other machines reach ask for one.")
@click.option("--resource", default=None, metavar="NAME", help="Which resource, where there are several.")
@click.option("--junit", default=None, type=click.Path(dir_okay=False), help="Write the verdict to this file as JUnit XML too.")
def report(url: str, key: str | None, resource: str | None, junit: str | None) -> None:
    """Judge, from a running server's journal, how its clients behave; exit 1 where that is an error, 2 without a verdict."""
    from mockserver.cli.report import ReportError, fetch, junit_xml

    try:
        verdict = fetch(url, key, resource)
        if junit is not None:
            Path(junit).write_bytes(junit_xml(verdict))
    except (ReportError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    click.echo(str(verdict))
    sys.exit(0 if verdict.ok else 1)


@main.command()
@click.option("--markdown", is_flag=True, help="As the page docs/coverage.md.")
def operations(markdown: bool) -> None:
    """Print the coverage table: every operation of the surface, and whether it is emulated."""
    from mockserver.cli.operations import markdown_page, text_table

    click.echo(markdown_page() if markdown else text_table(), nl=False)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import json

    from mockserver.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


def _settings(options: dict[str, Any]) -> Settings:
    from mockserver.resource.settings import Settings

    keys: tuple[str, ...] | None = tuple(options["keys"]) or None
    if keys is not None and "none" in keys:
        keys = ()
    return Settings(
        keys=keys,
        deployments=_pairs(options["deployments"]),
        strict=options["strict"],
        profile=options["profile"],
        seed=options["seed"],
        dated=options["dated"],
    )


def _pairs(declared: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for one in declared:
        name, equals, model = one.partition("=")
        if not (name and equals and model):
            raise click.BadParameter(f"{one!r} is not NAME=MODEL", param_hint="--deployment")
        pairs[name] = model
    return pairs


def _load(scenarios: tuple[str, ...]) -> Any:
    from mockserver.resource.settings import load_scenarios

    return _or_exit(lambda: load_scenarios([Path(one) for one in scenarios]))


def _empty_folder(path: str) -> bool:
    """Whether a folder waits for its scenarios, as the container's does until one is mounted."""
    from mockserver.scenario.load import files_of

    return Path(path).is_dir() and not files_of([path])


def _or_exit(step: Any) -> Any:
    from mockserver.errors import ScenarioError

    try:
        return step()
    except ScenarioError as error:
        _fail("\n".join(error.problems))


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def _loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


class Line(logging.Formatter):
    """The time of day and the message. The time is spelt once a second."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._second, self._spelt = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """The record's time."""
        second = int(record.created)
        if second != self._second:
            self._second, self._spelt = second, super().formatTime(record, datefmt)
        return self._spelt


def log_to(stream: TextIO, level: str) -> None:
    """Log a line for each request. What the lines do not show, such as the caller's place in the code, is not looked up."""
    vars(logging).update(_srcfile=None, logThreads=False, logProcesses=False, logMultiprocessing=False, logAsyncioTasks=False)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    log = logging.getLogger("mockserver")
    log.addHandler(handler)
    log.setLevel(level.upper())
    log.propagate = False


def _greet(host: str, port: int, resources: Resources, scenarios: tuple[str, ...]) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    endpoint = f"http://{shown}:{port}"
    default = resources.default
    key = default.keys[0] if default.keys else "any-key"
    click.echo(f"mockserver {__version__} answers as Azure OpenAI on {click.style(endpoint + '/openai/v1/', bold=True)}\n")
    click.echo(f"  export OPENAI_BASE_URL={endpoint}/openai/v1/")
    click.echo(f"  export OPENAI_API_KEY={key}")
    click.echo(f"  export AZURE_OPENAI_ENDPOINT={endpoint}")
    click.echo(f"  export AZURE_OPENAI_API_KEY={key}\n")
    for resource in resources:
        if resource is not default:
            click.echo(f"  resource {resource.name}: key {', '.join(resource.keys) or 'any'}")
    if default.open:
        click.echo(click.style("  Key checks are off: every credential is let in.", fg="yellow"))
    rules = sum(len(resource.script.rules) for resource in resources)
    told = (
        f"{rules} {_plural('rule', rules)} from {', '.join(scenarios)}" if scenarios else "no scenario: answers are improvised"
    )
    click.echo(f"  {told} · control API on {endpoint}/_mock/ · Ctrl-C stops", nl=True)
    sys.stdout.flush()


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else noun + "s"
