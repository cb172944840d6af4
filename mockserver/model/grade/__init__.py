"""Graders: what fine-tuning and evals judge a model's samples by. `operations.graders` reads their definitions.

`run` grades one sample (see `samples`); `Means` is what it may use for that, above all a model to ask (`operations.grading`).
"""

from mockserver.model.grade.graders import Grader as Grader
from mockserver.model.grade.outcome import Means as Means
from mockserver.model.grade.outcome import Outcome as Outcome
from mockserver.model.grade.outcome import UnavailableError as UnavailableError
from mockserver.model.grade.running import passes as passes
from mockserver.model.grade.running import references as references
from mockserver.model.grade.running import run as run
