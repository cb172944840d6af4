"""The verdict on how a client behaved; see `mockserver.verdict`."""

from __future__ import annotations

from mockserver.verdict import CODES, Finding, Verdict, grade

__all__ = ["CODES", "Finding", "Verdict", "grade"]
