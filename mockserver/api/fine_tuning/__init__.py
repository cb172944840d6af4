"""`/fine_tuning`: jobs, their events and checkpoints, permissions and copies, and graders that are tried out before a job uses them."""

from mockserver.api.fine_tuning import checkpoints as checkpoints
from mockserver.api.fine_tuning import copy as copy
from mockserver.api.fine_tuning import graders as graders
from mockserver.api.fine_tuning import jobs as jobs
from mockserver.api.fine_tuning import permissions as permissions
