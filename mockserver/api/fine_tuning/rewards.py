"""What a model's answers are worth before it is reinforced: the graders' verdict on a few of them.

The questions are those of the validation file. The model is asked by requests of the job's own, which the script answers like others;
what it cannot answer is worth what an empty answer is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from mockserver.api.fine_tuning.reading import lines
from mockserver.model import grade
from mockserver.model.grade import samples
from mockserver.model.training.formats import FormatError, read
from mockserver.operations import graders, grading
from mockserver.resource import files
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.model.grade import Grader
    from mockserver.model.training.bases import Base
    from mockserver.operations.call import ResponseView
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document

Json = Any
_SAMPLES = 5
"""How many answers are graded, unless `eval_samples` says otherwise."""
HEADER = "x-mockserver-fine-tuning-job-id"
"""The header by which a rule, or a reader of the journal, knows the requests of a job. It never leaves this server."""


class Baseline:
    """The mean reward of a model's answers. `error` is a job's error, None where all could be graded."""

    def __init__(self, resource: Resource, job: Document, base: Base, parent: int) -> None:
        self.reward = 0.0
        self.error: dict[str, Json] | None = None
        self._resource, self._job, self._base = resource, job, base
        headers = {HEADER: job["id"]}
        self._send = partial(resource.send, headers=headers, parent=parent, metered=False)

    def measure(self) -> Iterator[None]:
        """Ask and grade, in steps."""
        method = self._job["method"]["reinforcement"]
        grader = graders.parse(method["grader"])
        rewards: list[float] = []
        for item in self._items():
            try:
                rewards.append(self._graded(grader, item, method.get("response_format")))
            except grade.UnavailableError as error:
                self.error = {"code": "grader_unavailable", "message": f"mockserver: {error}", "param": "method"}
                return
            yield
        self.reward = sum(rewards) / len(rewards) if rewards else 0.0

    def _items(self) -> Iterator[dict[str, Json]]:
        """The first examples of the validation file."""
        blob = self._resource.store.blob(files.FILE, self._job["validation_file"])
        if blob is None:
            return
        most = self._job["hyperparameters"].get("eval_samples", _SAMPLES)
        with blob.open() as content:
            for at, (number, line) in enumerate(lines(content)):
                if at == most:
                    return
                try:
                    yield read(number, line, self._base, "reinforcement").item
                except FormatError:
                    return  # it was replaced meanwhile

    def _graded(self, grader: Grader, item: dict[str, Json], response_format: Json) -> float:
        body = {"model": self._job["model"], "messages": item["messages"]}
        body |= {"response_format": response_format} if response_format is not None else {}
        sample = samples.of_completion(_completion(self._send("POST", "/chat/completions", body)))
        means = grading.means_of(self._resource.settings, self._send, Chance(self._job["id"]).uuid())
        return grade.run(grader, item, sample, means).reward


def _completion(response: ResponseView) -> dict[str, Json]:
    try:
        document = response.json() if response.status == 200 else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
