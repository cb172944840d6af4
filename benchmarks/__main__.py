"""`python -m benchmarks`: measure every budget in one run, print the table, and fail where a bar is missed."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks import batches, inprocess, searching, startup, tcp, uploads
from benchmarks.budget import Findings, table


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: some 20 seconds, noisier figures")
    parser.add_argument("--no-fail", action="store_true", help="exit with 0 even where a bar is missed")
    options = parser.parse_args()
    begun = time.perf_counter()
    findings = _measure(quick=options.quick)
    print(table(findings))
    print(f"\n{len(findings.missed) or 'no'} bars missed, {time.perf_counter() - begun:.0f} s")
    return 1 if findings.missed and not options.no_fail else 0


def _measure(*, quick: bool) -> Findings:
    measurements: list[Callable[[], Findings]] = [
        lambda: tcp.requests(*((5, 400) if quick else (21, 600))),
        lambda: tcp.paced_events(2 if quick else 5),
        lambda: inprocess.sdk_calls(200 if quick else 1_000),
        lambda: startup.cold_processes(3 if quick else 9),
        lambda: inprocess.without_socket(1_000 if quick else 4_000),
        lambda: inprocess.fresh_resources(200),
        lambda: startup.servers(10 if quick else 30),
        lambda: uploads.memory(512_000_000),
        lambda: searching.vector_stores(0.2 if quick else 1.0),
        lambda: batches.lines(1_000 if quick else 10_000),
        lambda: inprocess.matching(300 if quick else 1_000),
        lambda: inprocess.memory(200),
    ]
    findings = Findings()
    for measure in measurements:
        findings.extend(measure())
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    return findings


if __name__ == "__main__":
    sys.exit(main())
