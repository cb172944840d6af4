"""The command `mockserver run`: a program, unchanged, with the mock in Azure's place."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.cli.env import SHELLS, default_shell
from mockserver.cli.loading import fail, load
from mockserver.cli.logs import LEVELS, log_to
from mockserver.cli.options import overrides, setting_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockserver.proxy.serving import Surroundings
    from mockserver.resource.resources import Resources
    from mockserver.scenario.load import Scenario

_COMMAND = "mockserver.command"
_EPILOG = """\b
Examples:
  mockserver run -- python app.py
  mockserver run weather.yaml --verdict -- pytest
  mockserver run --allow-host registry.npmjs.org -- npm test
  mockserver run --port 4650 --proxy-port 4651 --env-file mock.env
"""


class _Run(click.Command):
    """A command whose line goes on, behind `--`, with the program that it runs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the program off the line, since its options are not ours."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The line, for help."""
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


@click.command("run", cls=_Run, epilog=_EPILOG)
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...", type=click.Path(), envvar="MOCKSERVER_SCENARIOS")
@click.option(
    "--allow-host",
    metavar="HOST",
    multiple=True,
    help="Let the program reach this host too, such as *.example.com. Repeatable.",
)
@click.option("--verdict", is_flag=True, help="Print the verdict on the client; its errors turn the exit code 0 into 1.")
@click.option("--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write the verdict as JUnit XML.")
@click.option(
    "--print-env", is_flag=True, help="Print the variables that the program gets. Without a COMMAND, serve until Ctrl-C."
)
@click.option("--shell", type=click.Choice(list(SHELLS)), help="The shell whose syntax is printed.  [default: this one]")
@click.option(
    "--env-file", metavar="FILE", type=click.Path(dir_okay=False), help="Write them to a file, for as long as they hold."
)
@click.option(
    "--client",
    type=click.Choice(["openai", "azure"]),
    help="The SDK's client; azure sets no OPENAI_BASE_URL, which Node's AzureOpenAI does not bear.  [default: both]",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port of HTTP.  [default: a free one]")
@click.option("--proxy-port", type=click.IntRange(0, 65_535), default=0, help="The port of the proxy.  [default: a free one]")
@click.option(
    "--log-level", type=click.Choice(LEVELS), default="warning", help="What is logged; info: every call.  [default: warning]"
)
@click.option("-q", "--quiet", is_flag=True, help="Print no summary at the end.")
@setting_options
@click.pass_context
def command(context: click.Context, /, scenarios: tuple[str, ...], log_level: str, **options: Any) -> None:
    """Run COMMAND with the mock in Azure's place, serving SCENARIOs (files or folders), and end with its exit code.

    Whatever the program calls at Azure's addresses over HTTPS, in whatever language, is answered here; every other host is refused.
    """
    program: list[str] = context.meta[_COMMAND]
    if not (program or options["print_env"] or options["env_file"]):
        raise click.UsageError("There is nothing to run: put the program behind --, as in `mockserver run -- python app.py`.")
    log_to(sys.stderr, log_level)
    settings = overrides(options)
    found, resources = load(scenarios, settings, surviving=True)
    _accept_any_key(resources, found, settings)
    try:
        code = _run(program, resources, settings, options)
    finally:
        resources.close()
    raise SystemExit(_judged(code, resources, options))


def _accept_any_key(resources: Resources, scenarios: Sequence[Scenario], settings: dict[str, Any]) -> None:
    """Unless keys are declared for a resource: a program that is run unchanged has a key of its own."""
    declared = {resources.default} if "keys" in settings else set()
    declared |= {resource for resource, scenario in zip(resources, scenarios, strict=False) if scenario.keys}
    for resource in resources:
        resource.open = resource.open or resource not in declared


def _run(program: Sequence[str], resources: Resources, settings: dict[str, Any], options: dict[str, Any]) -> int:
    """Serve while the program runs; return its exit code."""
    from mockserver.cli import child

    key, code = next(iter(resources.default.keys), "any-key"), 0
    with _serving(resources, settings, options) as around:
        variables = around.variables(key, options["client"])
        if program:
            with _published(variables, options):
                code = child.run_to_end(program, around.environment(key, options["client"]))
        else:
            with child.until_signal() as stop, _published(variables, options):
                child.wait(stop)
    if not options["quiet"]:
        from mockserver.cli.summary import lines

        for line in lines(resources, around.refused):
            click.echo(line, err=True)
    return code


@contextmanager
def _serving(resources: Resources, settings: dict[str, Any], options: dict[str, Any]) -> Iterator[Surroundings]:
    """The server, TLS and the proxy. Exits with 1 where they cannot be had."""
    from contextlib import ExitStack

    from mockserver.app import application
    from mockserver.proxy.authority import TlsError
    from mockserver.proxy.serving import surroundings

    app, ports = application(resources, settings), (options["port"], options["proxy_port"])
    with ExitStack() as stack:
        try:
            around = stack.enter_context(surroundings(app, allowed=options["allow_host"], ports=ports))
        except TlsError as error:
            fail(str(error))
        except OSError as error:
            fail(f"mockserver cannot listen: {error.strerror}. Choose another --port or --proxy-port.")
        yield around


@contextmanager
def _published(variables: dict[str, str], options: dict[str, Any]) -> Iterator[None]:
    """Print the variables and write their file, which goes when they do not hold any more."""
    path = options["env_file"]
    if options["print_env"]:
        line = SHELLS[options["shell"] or default_shell()]
        click.echo("\n".join(line(name, value) for name, value in variables.items()))
        sys.stdout.flush()
    if path is None:
        yield
        return
    line = SHELLS["dotenv"]
    try:
        Path(path).write_text("".join(f"{line(name, value)}\n" for name, value in variables.items()), encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}.")
    try:
        yield
    finally:
        Path(path).unlink(missing_ok=True)


def _judged(code: int, resources: Resources, options: dict[str, Any]) -> int:
    """The exit code, once the verdict is where it is wanted."""
    if not (options["verdict"] or options["junit"]):
        return code
    from mockserver.cli.report import junit_xml
    from mockserver.verdict import Verdict, judge

    verdict = sum((judge(resource.journal) for resource in resources), Verdict())
    if options["junit"]:
        try:
            Path(options["junit"]).write_bytes(junit_xml(verdict))
        except OSError as error:
            fail(f"{options['junit']} cannot be written: {error.strerror}.", code or 1)
    if options["verdict"]:
        click.echo(str(verdict), err=True)
        return code or (0 if verdict.ok else 1)
    return code
