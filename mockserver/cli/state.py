"""The command `mockserver state`: a state file as JSON and back, or emptied. A server that runs has `/_mock/state` for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockserver.cli.loading import counted, fail
from mockserver.cli.options import option
from mockserver.errors import StateError

if TYPE_CHECKING:
    from mockserver.state.sqlite import SqliteStore
    from mockserver.state.sqlite_file import StateFile

_in_state = option("--state", metavar="FILE", required=True, type=click.Path(dir_okay=False), help="The state file.")


@click.group("state")
def command() -> None:
    """Export, import or clear a state file while no server has it."""


@command.command("export")
@click.argument("target", metavar="FILE.json", type=click.Path(dir_okay=False, allow_dash=True))
@_in_state
def export_state(target: str, state: str) -> None:
    """Write all that a state file holds as JSON, `-` being the standard output."""
    from mockserver.state.dump import dump

    with _open(state) as file, click.open_file(target, "wb") as out:
        stores = _stores(file, file.resources())
        for piece in dump(stores):
            out.write(piece)
        number = sum(store.size for store in stores.values())
    click.echo(f"exported {counted(number, 'document')} of {counted(len(stores), 'resource')}", err=True)


@command.command("import")
@click.argument("source", metavar="FILE.json", type=click.Path(dir_okay=False, allow_dash=True))
@_in_state
def import_state(source: str, state: str) -> None:
    """Add what was exported to a state file, which may be new. Objects with the same id are replaced."""
    from mockserver.state.dump import parse, restore

    with _readable(source), click.open_file(source, "rb") as text:
        found = parse(text.read())
    with _open(state, new=True) as file, _readable(source), file.transaction:
        for name, store in _stores(file, list(found.resources)).items():
            restore(store, found.resources[name])
            store.generation = max(store.generation, found.generation)
    number = sum(map(len, found.resources.values()))
    click.echo(f"imported {counted(number, 'document')} of {counted(len(found.resources), 'resource')}", err=True)


@command.command("clear")
@_in_state
def clear_state(state: str) -> None:
    """Forget all that a state file holds."""
    with _open(state) as file, file.transaction:
        stores = _stores(file, file.resources())
        number = sum(store.size for store in stores.values())
        for store in stores.values():
            store.clear()
    click.echo(f"cleared {counted(number, 'document')} of {counted(len(stores), 'resource')}", err=True)


@contextmanager
def _open(path: str, *, new: bool = False) -> Iterator[StateFile]:
    """A state file while the context lasts. Exits with 1 where it cannot be used, or is not there and may not be `new`."""
    from mockserver.errors import ApiError
    from mockserver.state.sqlite_file import StateFile

    if not new and not Path(path).exists():
        fail(f"{path}: there is no such state file")
    try:
        file = StateFile(path)
    except StateError as error:
        fail(str(error))
    try:
        yield file
    except ApiError as error:
        fail(f"{path}: {error.detail['message']}")
    except OSError as error:
        fail(f"{error.filename or 'output'}: {error.strerror}")
    finally:
        file.close()


@contextmanager
def _readable(source: str) -> Iterator[None]:
    """Exit with 1 and one line where what is imported cannot be."""
    try:
        yield
    except StateError as error:
        fail(f"{source}: {error}")
    except OSError as error:
        fail(f"{source}: {error.strerror}")


def _stores(file: StateFile, names: list[str]) -> dict[str, SqliteStore]:
    """The stores of resources, without limits: those are a server's."""
    from mockserver.state.sqlite import SqliteStore

    return {name: SqliteStore(file, name, sys.maxsize, sys.maxsize) for name in names}
