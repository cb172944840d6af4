"""The command `mockserver operations`: every operation of the surface and its state, as text and as the page docs/coverage.md."""

from __future__ import annotations

import click

from mockserver.operations.table import TABLE, Operation

_INTRO = """# Coverage

Every operation of the official v1 document of March 2026, and some beyond it. Made by `mockserver operations --markdown`; a test
keeps the two equal. An operation that is not emulated answers 501.
"""


@click.command("operations")
@click.option("--markdown", is_flag=True, help="As the page docs/coverage.md.")
def command(markdown: bool) -> None:
    """List every operation of the v1 API, and whether it is emulated."""
    click.echo(markdown_page() if markdown else text_table(), nl=False)


def state(operation: Operation) -> str:
    """`emulated`, `emulated (beyond the document)` or `not yet`."""
    if not operation.emulated:
        return "not yet"
    return "emulated (beyond the document)" if operation.beyond_spec else "emulated"


def text_table() -> str:
    """The table for a terminal, and a count."""
    rows = [(operation.method, operation.path, operation.id, state(operation)) for operation in TABLE.all()]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", _count(), ""])


def markdown_page() -> str:
    """The page docs/coverage.md."""
    lines = [_INTRO, _count(), "", "| method | path | operation | preview header | state |", "|--|--|--|--|--|"]
    for operation in TABLE.all():
        header = f"`{operation.preview}`" if operation.preview else ""
        lines.append(f"| {operation.method} | `{operation.path}` | `{operation.id}` | {header} | {state(operation)} |")
    return "\n".join(lines) + "\n"


def _count() -> str:
    operations = list(TABLE.all())
    official = [operation for operation in operations if not operation.beyond_spec]
    emulated = sum(operation.emulated for operation in official)
    beyond = len(operations) - len(official)
    return f"{emulated} of {len(official)} operations of the document are emulated, and {beyond} beyond it."
