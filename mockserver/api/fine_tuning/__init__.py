"""`/fine_tuning`: jobs, their events and checkpoints, and graders that are tried out before a job uses them."""

from mockserver.api.fine_tuning import checkpoints as checkpoints
from mockserver.api.fine_tuning import graders as graders
from mockserver.api.fine_tuning import jobs as jobs
