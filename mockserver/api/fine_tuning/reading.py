"""Reading the files of a job: the verdict on them, in the service's words, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from mockserver.model.training import hyperparameters
from mockserver.model.training.formats import Example, FormatError, read
from mockserver.model.training.recall import MOST_LESSONS, TRAINING, learn
from mockserver.resource import files

if TYPE_CHECKING:
    from mockserver.model.training.bases import Base, Method
    from mockserver.state.store import Document, Store

Json = Any
FEWEST = 10
"""How many examples a training file must have (documented)."""
MOST_TOKENS = 2_000_000_000
"""How many tokens a training file may have, all epochs taken together (documented)."""
_LONGEST_LINE = 64 * 1024 * 1024  # bytes
_BOM = b"\xef\xbb\xbf"


class Reader:
    """Reads a job's files once, and then the training file again for what the model learns.

    `error` is a job's error, None where nothing is wrong. `examples` and `tokens` are those of the training file.
    """

    def __init__(self, store: Store, job: Document, base: Base, method: Method) -> None:
        self.error: dict[str, Json] | None = None
        self.examples = 0
        self.tokens = 0
        self._store, self._job, self._base, self._method = store, job, base, method

    def read(self) -> Iterator[None]:
        """Read the training file, then the validation file, in steps."""
        for example in self._read("training_file", FEWEST):
            if example is not None:
                self.examples, self.tokens = self.examples + 1, self.tokens + example.tokens
            yield
        if self.error is None and "validation_file" in self._job:
            for _ in self._read("validation_file", 1):
                yield
        if self.error is None:
            epochs = hyperparameters.resolved(self._job["hyperparameters"], self.examples)["n_epochs"]
            self.error = _too_much(self.tokens * epochs)

    def learn(self, model: str) -> Iterator[None]:
        """Keep what the training file teaches a model, as far as that is kept, in steps."""
        self._store.put(TRAINING, model, {"id": model}, accepted=True)
        number = 0
        for example in self._read("training_file", 0):
            if self._store.get(TRAINING, model) is None:
                return  # the job was cancelled or deleted meanwhile
            for lesson in example.lessons if example is not None else ():
                if number == MOST_LESSONS:
                    return
                learn(self._store, model, number, lesson)
                number += 1
            yield

    def _read(self, param: str, fewest: int) -> Iterator[Example | None]:
        """The examples of a file; None for one that is not there any more. What is wrong with it is in `error`."""
        file_id, count = self._job[param], 0
        blob = self._store.blob(files.FILE, file_id)
        if blob is None:
            self.error = {"code": "invalid_file", "message": f"The file {file_id} does not exist any more.", "param": param}
            return
        with blob.open() as content:
            try:
                for number, line in lines(content):
                    yield read(number, line, self._base, self._method)
                    count += 1
            except FormatError as error:
                self.error = _format_error(param, str(error).replace("{file}", file_id))
                return
        if count < fewest:
            self.error = _too_few(param, count, fewest)


def lines(content: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, each with its number, from 1 on."""
    number = 0
    while line := content.readline(_LONGEST_LINE):
        number += 1
        if line.removeprefix(_BOM).strip():
            yield number, line


def _format_error(param: str, what: str) -> dict[str, Json]:
    """A file that is not in the right format (reported of the sister service)."""
    kind = param.removesuffix("_file")
    message = f"The job failed due to a file format error in the {kind} file. {what}"
    return {"code": "invalid_file_format", "message": message, "param": param}


def _too_much(tokens: int) -> dict[str, Json] | None:
    """More tokens in all epochs than a job may have (the number is documented, code and text are inferred)."""
    if tokens <= MOST_TOKENS:
        return None
    message = f"The training file has {tokens} tokens over all epochs, but may have at most {MOST_TOKENS}."
    return {"code": "token_limit_exceeded", "message": message, "param": "training_file"}


def _too_few(param: str, count: int, fewest: int) -> dict[str, Json]:
    """A file with too few examples (reported of the sister service)."""
    kind = param.removesuffix("_file").capitalize()
    message = f"{kind} file has {count} example(s), but must have at least {fewest} examples"
    return {"code": "invalid_n_examples", "message": message, "param": param}
