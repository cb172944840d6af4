"""The service that has a resource's jobs and their files: how it writes its objects."""

from __future__ import annotations

from typing import Any

from mockserver.operations.call import Result

Json = Any
_CONTENT_TYPE = (b"content-type", b"application/json; charset=utf-8")


def authored(payload: Json, status: int = 200) -> Result:
    """A result on one line, in chunks, with a charset and few headers (recorded for files, batches and fine-tuning jobs)."""
    return Result(payload, status, [_CONTENT_TYPE], None, style="minified", header_family="authoring")
