"""The lines of a batch's input file, and what is wrong with them, in the service's codes and words (documented)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic_core import from_json

from mockserver.errors import ApiError
from mockserver.resource import quota

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.state.blobs import Blob

Json = Any
APIS = {"/responses": "chat", "/chat/completions": "chat", "/embeddings": "embedding", "/completions": "completion"}
"""What a batch can call, and the kind of model that answers it."""
MOST_LINES = 100_000
_LONGEST_LINE = 64 * 1024 * 1024  # bytes; what is longer cannot be a request
_MOST_ERRORS = 100  # that an object lists
_READ_WHOLE = 4 * 1024 * 1024  # bytes of a file whose tokens are counted line by line
_BOM = b"\xef\xbb\xbf"
_MESSAGES = {
    "duplicate_custom_id": "The custom ID for this request is a duplicate of the custom ID in another request.",
    "empty_file": "The input file is empty. Please ensure that the batch contains at least one request.",
    "input_modified": "The input file was deleted or changed before the batch began. Please upload it again and resubmit the job.",
    "invalid_json_line": (
        "A line (or multiple) in your input file wasn't able to be parsed as valid json. Please ensure no typos, proper opening and "
        "closing brackets, and quotes as per JSON standard, and resubmit the request."
    ),
    "invalid_request": "The schema of the input line is invalid or the deployment SKU is invalid.",
    "model_mismatch": (
        "The Azure OpenAI model deployment name that was specified in the model property of this request in the input file doesn't "
        "match the rest of the file. Please ensure that all requests in the batch point to the same Azure OpenAI in Azure AI Foundry "
        "Models model deployment in the model property of the request."
    ),
    "model_not_found": (
        "The Azure OpenAI model deployment name that was specified in the model property of the input file wasn't found. Please ensure "
        "this name points to a valid Azure OpenAI model deployment."
    ),
    "too_many_tasks": (
        "The number of requests in the input file exceeds the maximum allowed value of 100,000. Please ensure your total requests are "
        "under 100,000 and resubmit the job."
    ),
    "url_mismatch": (
        "Either a row in your input file has a URL that doesn't match the rest of the rows, or the URL specified in the input file "
        "doesn't match the expected endpoint URL. Please ensure all request URLs are the same, and that they match the endpoint URL "
        "associated with your Azure OpenAI deployment."
    ),
}
_NO_DEPLOYMENT = (
    "Validation failed: A valid model deployment name couldn't be extracted from the input file. Please ensure that each row in the "
    "input file has a valid deployment name specified in the 'model' field, and that the deployment name is consistent across all rows."
)


def api_of(url: Json) -> str | None:
    """The operation that a line's `url`, or a batch's `endpoint`, names, with or without `/v1`; None for any other."""
    if not isinstance(url, str):
        return None
    path = url.removeprefix("/v1")
    return path if path in APIS else None


def finding(code: str, *, line: int | None = None, param: str | None = None, message: str | None = None) -> dict[str, Json]:
    """An entry of a batch's `errors`; `line` counts from 1."""
    return {"code": code, "message": message or _MESSAGES[code], "param": param, "line": line}


def read(blob: Blob) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, each with its number, from 1 on."""
    with blob.open() as file:
        number = 0
        while line := next_line(file):
            number += 1
            if line.strip():
                yield number, line


def next_line(file: BinaryIO) -> bytes:
    """The next line with its end; b"" after the last. Of one that is too long to be a request, only the beginning is returned."""
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        while (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
    return line


def parse(line: bytes) -> Json:
    """What a line holds; None where it is not JSON."""
    try:
        return from_json(line, allow_inf_nan=False)
    except ValueError:
        return None


def estimate(blob: Blob) -> tuple[str | None, int]:
    """The deployment that the first line names, and the tokens that a file enqueues: estimated as for any request.

    Of a large file, whose lines nobody waits for, a quarter of its bytes stands for them.
    """
    first, total = None, 0
    for number, line in read(blob):
        document = parse(line)
        body = document.get("body") if isinstance(document, dict) else None
        if isinstance(body, dict):
            total += quota.estimate(body)
            first = body.get("model") if number == 1 else first
        if blob.size > _READ_WHOLE:
            total = blob.size // 4
            break
    return first if isinstance(first, str) else None, total


@dataclass(slots=True)
class Checker:
    """What is wrong with the lines of one file, as they are read. `deployment` and `api` are those of the first line."""

    resource: Resource
    total: int = 0
    deployment: str | None = None
    api: str | None = None
    findings: list[dict[str, Json]] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def add(self, number: int, line: bytes) -> None:
        """Check the next line."""
        self.total += 1
        if number == 1 and line.startswith(_BOM):
            self._find("model_not_found", message=_NO_DEPLOYMENT)  # the file begins with a byte order mark (documented)
            return
        document = parse(line)
        if document is None:
            self._find("invalid_json_line", line=number)
        elif not isinstance(document, dict) or not self._is_request(document):
            self._find("invalid_request", line=number)
        else:
            self._check_id(number, document["custom_id"])
            self._check_url(number, document["url"])
            self._check_model(number, document["body"]["model"])

    def done(self) -> list[dict[str, Json]]:
        """Everything that is wrong, once all lines are read."""
        if not self.total:
            return [finding("empty_file")]
        return [finding("too_many_tasks")] if self.total > MOST_LINES else self.findings

    def _find(self, code: str, *, line: int | None = None, param: str | None = None, message: str | None = None) -> None:
        if len(self.findings) < _MOST_ERRORS:
            self.findings.append(finding(code, line=line, param=param, message=message))

    @staticmethod
    def _is_request(document: dict[str, Json]) -> bool:
        body = document.get("body")
        texts = (document.get("custom_id"), document.get("url"), body.get("model") if isinstance(body, dict) else None)
        return all(isinstance(text, str) and text for text in texts) and str(document.get("method")).upper() == "POST"

    def _check_id(self, number: int, custom_id: str) -> None:
        if custom_id in self._ids:
            self._find("duplicate_custom_id", line=number, param="custom_id")
        self._ids.add(custom_id)

    def _check_url(self, number: int, url: str) -> None:
        api = api_of(url)
        self.api = self.api or api
        if api is None or api != self.api:
            self._find("url_mismatch", line=number, param="url")

    def _check_model(self, number: int, model: str) -> None:
        if self.deployment is None:
            self.deployment = model
            self._check_deployment(model)
        elif model != self.deployment:
            self._find("model_mismatch", line=number, param="body.model")

    def _check_deployment(self, name: str) -> None:
        kind = APIS[self.api] if self.api is not None else "chat"
        try:
            fits = self.resource.deployment(name, kind).model.kind == kind
        except ApiError:
            self._find("model_not_found", param="model")
        else:
            if not fits:
                self._find("invalid_request", param="model")
