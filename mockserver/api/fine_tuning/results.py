"""`results.csv`: the file that a job leaves, with a row for each step."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from mockserver.api.fine_tuning.progress import RUN, course
from mockserver.resource import files
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document, Store

_ROWS = 200  # that are written in one step
_SPOOLED = 1024 * 1024


def new_results(resource: Resource, job_id: str, at: int) -> str:
    """A file for the results of a run that begins; return its id."""
    file = files.add(
        resource,
        filename="results.csv",
        purpose="fine-tune-results",
        content=b"",
        size=0,
        chance=Chance(f"{job_id}/results"),
        now=at,
        accepted=True,
    )
    return str(file["id"])


def write_results(store: Store, job_id: str, file: BinaryIO) -> Iterator[None]:
    """Write the results of a whole run, in steps."""
    run = store.get(RUN, job_id)
    if run is None:
        return
    for number, row in enumerate(course(run).rows()):
        file.write(row.encode())
        if number % _ROWS == 0:
            yield


def keep_results(store: Store, job: Document, content: BinaryIO) -> None:
    """Put the results into their file, unless a caller has deleted it."""
    file, size = store.get(files.FILE, job["result_files"][0]), content.tell()
    content.seek(0)
    if file is not None:
        store.put(files.FILE, file["id"], file | {"bytes": size}, content=content, accepted=True)


def spool() -> BinaryIO:
    """An empty file, in memory as long as it is short."""
    return cast("BinaryIO", SpooledTemporaryFile(_SPOOLED))
