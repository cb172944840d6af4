"""Why a file has no text."""

from __future__ import annotations

from typing import Literal


class UnreadableError(Exception):
    """A file without a text that can be read; `code` and `message` are those of the `last_error` of a vector store's file.

    Two messages are reported of the sister service, `The file type is not supported.` and `The file could not be parsed.`; what
    follows these words here is inferred.
    """

    def __init__(self, code: Literal["unsupported_file", "invalid_file"], message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def broken() -> UnreadableError:
    """A file that is not what its name says, or is damaged."""
    return UnreadableError("invalid_file", "The file could not be parsed.")


def too_large() -> UnreadableError:
    """A file of more text than the service takes (reported on the sister service)."""
    return UnreadableError("invalid_file", "The file could not be parsed because it is too large.")
