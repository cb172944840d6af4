"""The command `mockserver settings`: every setting, as text and as the page docs/settings.md."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mockserver.settings import SETTINGS, Setting, Surface, default_text

_INTRO = """# Settings

Made by `mockserver settings --markdown`; a test keeps the two equal. A setting has the same name everywhere. Take `journal_limit`:

| where | | example |
|--|--|--|
| [command line](command-line.md) | a flag of `mockserver serve` | `--journal-limit 50` |
| environment | a variable that `mockserver serve` reads | `MOCKSERVER_JOURNAL_LIMIT=50` |
| [scenario file](scenarios.md) | a key below `resource` | `resource: {journal_limit: 50}` |
| [Python](python.md) | a keyword of `create_app` and `MockServer` | `MockServer(journal_limit=50)` |
| [pytest](pytest.md) | a keyword of the marker and of `azure_openai_factory` | `@pytest.mark.azure_openai(journal_limit=50)` |
| pytest's ini file | a key | `azure_openai_journal_limit = 50` |

A flag or a keyword wins over the environment, the environment over the scenario file, the file over the default. In pytest, the marker
wins over flags, flags over the ini file, and the ini file over the scenario. `on` and `off` are `--strict` and `--no-strict` on the
command line, `true` and `false` in files, `True` and `False` in Python. A size is a number of bytes, or text such as `64 MiB`.

| setting | default | | except |
|--|--|--|--|"""


@click.command("settings")
@click.option("--markdown", is_flag=True, help="As the page docs/settings.md.")
def command(markdown: bool) -> None:
    """List every setting with its default."""
    click.echo(markdown_page() if markdown else text_table(), nl=False)


def text_table() -> str:
    """The settings for a terminal."""
    rows = [(setting.name, default_text(setting), _help(setting)) for setting in _advertised()]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "".join(f"{name:{widths[0]}}  {default:{widths[1]}}  {text}\n" for name, default, text in rows)


def markdown_page() -> str:
    """The page docs/settings.md."""
    lines = [_INTRO]
    for setting in _advertised():
        default = f"`{default_text(setting)}`" if default_text(setting) else ""
        lines.append(f"| `{setting.name}` | {default} | {_help(setting)} | {'; '.join(_differences(setting))} |")
    aliases = [f"`{old.name}` is `{old.alias_of}`" for old in SETTINGS.values() if old.deprecated]
    return "\n".join([*lines, "", f"Deprecated names still work: {', '.join(aliases)}.", ""])


def _advertised() -> list[Setting]:
    return [setting for setting in SETTINGS.values() if not setting.deprecated]


def _help(setting: Setting) -> str:
    between = ", " if setting.kind.name == "names" else " or "
    choices = between.join(f"`{choice}`" for choice in setting.choices)
    return f"{setting.help.removesuffix('.')}: {choices}." if choices else setting.help


def _differences(setting: Setting) -> Iterator[str]:
    """What is not as the page's first table says."""
    if setting.flag:
        yield f"`--{setting.option}`, `{setting.variable}`"
    if "pytest" in setting.at:
        yield f"pytest's flag `--azure-openai-{setting.option}`"
    absent: dict[Surface, str] = {"serve": "no flag", "file": "no key below `resource`", "ini": "no ini key"}
    yield from (text for surface, text in absent.items() if surface not in setting.at)
