"""The command `mockserver serve`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver import __version__
from mockserver.cli.env import SHELLS, default_shell
from mockserver.cli.loading import counted, fail, load
from mockserver.cli.logs import LEVELS, log_to
from mockserver.cli.options import PORT, option, overrides, setting_options
from mockserver.server.variables import for_azure_openai, for_openai

if TYPE_CHECKING:
    from ssl import SSLContext

    from mockserver.resource.resources import Resources

_EPILOG = "Every option can come from the environment too: --log-level is MOCKSERVER_LOG_LEVEL."


@click.command("serve", epilog=_EPILOG)
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...", type=click.Path(), envvar="MOCKSERVER_SCENARIOS")
@option("-p", "--port", type=click.IntRange(0, 65_535), metavar="PORT", default=PORT, help="The port; 0 takes a free one.")
@option("--host", metavar="ADDRESS", default="127.0.0.1", help="The address; 0.0.0.0 lets other machines connect.")
@option("-w", "--watch", is_flag=True, help="Reload scenarios when they change; keep the old ones while they have errors.")
@option("--tls", is_flag=True, help="Serve https, by a certificate of your own authority.")
@option("--log-level", type=click.Choice(LEVELS), default="info", help="What is logged.")
@setting_options
def command(scenarios: tuple[str, ...], host: str, port: int, watch: bool, tls: bool, log_level: str, **options: Any) -> None:
    """Serve SCENARIOs (files or folders). Without any, all answers are improvised."""
    from mockserver.app import application
    from mockserver.server.server import Server, listen, run

    log_to(sys.stderr, log_level)
    context, trusted = _tls() if tls else (None, None)
    settings = overrides(options)
    filled = [path for path in scenarios if not _is_empty_folder(path)]
    _, resources = load(filled, settings, surviving=True)
    try:
        listener = listen(host, port)
    except OSError as error:
        resources.close()
        fail(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port (0 takes a free one).")
    server = Server(application(resources, settings, guarded=not _is_loopback(host)), loop="auto")
    if watch:
        from mockserver.cli.watch import Watcher

        server.each_second = Watcher(scenarios, resources, settings).check
    click.echo(_greeting(_endpoint(host, listener.getsockname()[1], "https" if tls else "http"), resources, filled, trusted))
    sys.stdout.flush()
    gc.freeze()  # what is loaded stays to the end: collecting garbage need not look at it again and again
    try:
        run(server, listener, context)
    finally:
        resources.close()


def _is_empty_folder(path: str) -> bool:
    """Whether a folder still waits for its scenarios, as the container's does until one is mounted."""
    from mockserver.scenario.load import files_of

    return Path(path).is_dir() and not files_of([path])


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _tls() -> tuple[SSLContext, Path]:
    """TLS for the server, and the file of the certificates that its clients have to trust. Exits with 1 where there is none."""
    from mockserver.proxy.authority import TlsError, keep_trusted, load_authority
    from mockserver.proxy.trust import bundle

    try:
        authority = load_authority()
        return authority.server_context(), keep_trusted(bundle(authority, os.environ))
    except TlsError as error:
        fail(str(error))


def _endpoint(host: str, port: int, scheme: str) -> str:
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"{scheme}://{reachable}:{port}"


def _greeting(endpoint: str, resources: Resources, scenarios: Sequence[str], trusted: Path | None) -> str:
    rules = counted(sum(len(resource.script.rules) for resource in resources), "rule")
    script = f"{rules} from {', '.join(scenarios)}" if scenarios else "no scenario: answers are improvised"
    lines = [
        f"mockserver {__version__} serves Azure OpenAI at {click.style(f'{endpoint}/openai/v1/', bold=True)}",
        "",
        *_exports(endpoint, next(iter(resources.default.keys), "any-key")),
        "",
        *_trust(trusted),
        *_others(resources),
        f"  {script} · control API at {endpoint}/_mock/ · press Ctrl-C to stop",
    ]
    return "\n".join(lines)


def _exports(endpoint: str, key: str) -> list[str]:
    """What to paste: the variables of one client or of the other, since they disturb each other."""
    line = SHELLS[default_shell()]
    v1 = [f"  {line(name, value)}" for name, value in for_openai(endpoint, key).items()]
    legacy = [f"  {line(name, value)}" for name, value in for_azure_openai(endpoint, key).items()]
    return ["  # for OpenAI(), which calls v1", *v1, "", "  # or for AzureOpenAI()", *legacy]


def _trust(trusted: Path | None) -> list[str]:
    """What to paste so that clients trust the certificate."""
    if trusted is None:
        return []
    from mockserver.proxy.trust import VARIABLES

    line = SHELLS[default_shell()]
    return [
        "  # whom to trust: everybody as before, and this server",
        *(f"  {line(name, str(trusted))}" for name in VARIABLES),
        "",
    ]


def _others(resources: Resources) -> list[str]:
    """A line for each resource besides the default one, and a warning where key checks are off."""
    lines = [
        f"  resource {resource.name}: key {', '.join(resource.keys) or 'any'}"
        for resource in resources
        if resource is not resources.default
    ]
    if resources.default.open:
        lines.append(click.style("  Key checks are off: every credential is accepted.", fg="yellow"))
    return lines
