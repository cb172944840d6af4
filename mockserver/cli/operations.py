"""The command `mockserver operations`: every operation of the surface and its state, as text and as the page docs/coverage.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence

import click

from mockserver.operations.table import TABLE, Operation

_INTRO = """# Coverage

Every operation of the official v1 document of March 2026, and some beyond it. Made by `mockserver operations --markdown`; a test
keeps the two equal. An operation that is not emulated answers 501.
"""
_MARKS = {"emulated": "+", "emulated (beyond the document)": "*", "not yet": "-"}
_PATHS = 48  # columns of most lines


@click.command("operations")
@click.option("--missing", is_flag=True, help="Only those that are not emulated yet.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--markdown", is_flag=True, help="As the page docs/coverage.md.")
def command(missing: bool, as_json: bool, markdown: bool) -> None:
    """List every operation of the v1 API, and whether it is emulated."""
    listed = [operation for operation in TABLE.all() if not (missing and operation.emulated)]
    if markdown:
        click.echo(markdown_page(), nl=False)
    elif as_json:
        click.echo(json.dumps([_row(operation) for operation in listed], indent=2))
    else:
        click.echo(text_table(listed, shutil.get_terminal_size().columns), nl=False)


def state(operation: Operation) -> str:
    """`emulated`, `emulated (beyond the document)` or `not yet`."""
    if not operation.emulated:
        return "not yet"
    return "emulated (beyond the document)" if operation.beyond_spec else "emulated"


def text_table(operations: Sequence[Operation], columns: int) -> str:
    """The table for a terminal that is so wide, and a count. An id for which there is no room stands below its path."""
    rows = [(f"{_MARKS[state(one)]} {one.method:6} {one.path}", one.id) for one in operations]
    widest, longest = (max(map(len, column), default=0) for column in zip(*rows, strict=True)) if rows else (0, 0)
    width = widest if widest + longest + 2 <= columns else _PATHS
    lines = []
    for path, name in rows:
        fits = max(len(path), width) + 2 + len(name) <= columns and len(path) <= width
        lines += [f"{path:{width}}  {name}"] if fits else [path, f"{'':9}{name}"]
    marks = ", ".join(f"{mark} {name}" for name, mark in _MARKS.items())
    return "\n".join([*lines, "", marks, _count(), ""])


def _row(operation: Operation) -> dict[str, str | None]:
    return {
        "method": operation.method,
        "path": operation.path,
        "operation": operation.id,
        "state": state(operation),
        "preview_header": operation.preview,
    }


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
