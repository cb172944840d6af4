"""`/fine_tuning`: graders that are tried out before a job uses them."""

from mockserver.api.fine_tuning import graders as graders
