"""`scripts/fuzz`: fire requests at a server of this process, and print what must never happen."""

from __future__ import annotations

import argparse
import sys
import time

from fuzz.run import run


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=5_000, help="how many requests (default: 5000)")
    parser.add_argument("--seed", default=None, help="the seed of a run that is to be had again (default: a new one)")
    parser.add_argument("--socket", action="store_true", help="over sockets, kept alive and pipelined, instead of in process")
    parser.add_argument("--only", metavar="OPERATION", help="requests of one operation, by its operationId")
    parser.add_argument("--failures", type=int, default=5, help="end after this many failures (default: 5)")
    options = parser.parse_args()
    seed, begun = options.seed or str(time.time_ns()), time.perf_counter()
    print(f"seed {seed}", flush=True)
    outcome = run(options.requests, seed, over_socket=options.socket, most=options.failures, only=options.only)
    for failure in outcome.failures:
        print(f"\n--- {failure}")
    statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(outcome.statuses.items()))
    print(f"\n{outcome.statuses.total():,} answers in {time.perf_counter() - begun:.0f} s: {statuses}")
    print(f"{len(outcome.failures) or 'no'} failures")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
