"""A seeded fuzzer of whole requests: valid ones of every operation and of the control API, mutated, in process and over sockets.

`scripts/fuzz --requests 20000 --seed 7` runs it. What must never happen: a 5xx other than 501, an answer that takes seconds, an
error that is not JSON, an exception in the log, a server that is not well afterwards.
"""
