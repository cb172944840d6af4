"""Options of the command line that the environment can set too; most are made from the table of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from mockserver.settings import SETTINGS, Setting, check, default_text

Command = TypeVar("Command", bound=Callable[..., Any])
Callback = Callable[[click.Context, click.Parameter, Any], Any]
PORT = 4650


def option(*declarations: str, help: str, shown_default: object = "", **traits: Any) -> Callable[[Command], Command]:
    """An option with a variable: `--log-level` is `MOCKSERVER_LOG_LEVEL`."""
    flag = next(one for one in declarations if one.startswith("--")).partition("/")[0]
    default = shown_default or traits.get("default")
    text = help + (" Repeatable." if traits.get("multiple") else "") + (f"  [default: {default}]" if default else "")
    return click.option(*declarations, envvar="MOCKSERVER_" + flag[2:].replace("-", "_").upper(), help=text, **traits)


def setting_options(command: Command) -> Command:
    """Give a command the option of every setting that `serve` takes."""
    for setting in reversed(list(SETTINGS.values())):  # the last decorator to be applied is the first in help
        if "serve" in setting.at:
            command = _option(setting)(command)
    return command


def overrides(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among a command's options that are set, as `settings.check` returns them."""
    return check({name: value for name, value in options.items() if name in SETTINGS and value not in (None, (), {})})


def _option(setting: Setting) -> Callable[[Command], Command]:
    flag, kind = f"--{setting.option}", setting.kind.name
    traits: dict[str, Any] = {"help": setting.help, "hidden": setting.deprecated, "shown_default": default_text(setting)}
    if kind == "flag":
        return option(f"{flag}/--no-{setting.option}", setting.name, default=None, **traits)
    if kind == "names":
        form = click.Choice(setting.choices) if setting.choices else None
        return option(flag, setting.name, type=form, multiple=True, metavar=setting.option.upper(), **traits)
    if kind == "models":
        return option(flag, setting.name, multiple=True, metavar="NAME=MODEL", callback=_pairs, **traits)
    if setting.choices:
        return option(flag, setting.name, type=click.Choice(setting.choices), **traits)
    return option(flag, setting.name, metavar=kind.upper(), callback=_reader(setting), **traits)


def _reader(setting: Setting) -> Callback:
    def read(context: click.Context, parameter: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else setting.convert(setting.kind.read(text))
        except ValueError:
            raise click.BadParameter(f"{text!r} is not {setting.expected}.") from None

    return read


def _pairs(context: click.Context, parameter: click.Parameter, texts: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, _, model = text.partition("=")
        if not (name and model):
            raise click.BadParameter(f"{text!r} is not NAME=MODEL.")
        pairs[name] = model
    return pairs
