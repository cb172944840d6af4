"""Findings and the verdict that they make up: for people, for assertions and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Json = Any
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: how grave it is, what a good client does, and what to do about it."""

    severity: Severity
    good: str
    advice: str


CODES: Mapping[str, Code] = {
    "retry_after_ignored": Code(
        "error",
        "waits as long as it is told",
        "Wait as long as retry-after-ms says, else retry-after (in seconds). The SDKs do; a loop of your own has to.",
    ),
    "non_retryable_retried": Code(
        "error",
        "does not repeat what was refused for good",
        "What was refused as it stands will be refused again. Retry 408, 409, 429 and 5xx only.",
    ),
    "content_filter_retried": Code(
        "error",
        "does not repeat a prompt that the filter withheld",
        "The filter judges the same prompt alike: change it, or tell the user.",
    ),
    "retry_storm": Code(
        "error",
        "tries a few times only",
        "Try a few times, wait longer each time, then give up. The SDKs try three times.",
    ),
    "no_backoff": Code(
        "error",
        "waits longer from attempt to attempt",
        "Wait longer each time, with some chance in it: the SDKs wait about 0.5 s, 1 s, 2 s, up to 8 s.",
    ),
    "gave_up_early": Code(
        "warning",
        "tries again after a passing failure",
        "Try again: the SDKs do so twice, unless max_retries=0 is set.",
    ),
    "truncated_stream_accepted": Code(
        "error",
        "does not take a broken stream for a whole one",
        "A stream is whole once finish_reason and [DONE], or response.completed, have come. Else ask again.",
    ),
    "empty_choices_crash": Code(
        "error",
        "reads past chunks without choices",
        "Azure's first chunk tells the prompt's filter results and has no choices. Skip such chunks: if chunk.choices.",
    ),
    "deprecated_api": Code(
        "warning",
        "calls the v1 API",
        'Use OpenAI(base_url="{endpoint}/openai/v1/"): no deployment in the path, no dated api-version.',
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a client did wrong: its code, what happened, and the numbers of the exchanges that show it."""

    code: str
    message: str
    exchanges: tuple[int, ...]

    @property
    def severity(self) -> Severity:
        """`error`, or `warning` for what may be on purpose."""
        return CODES[self.code].severity

    @property
    def advice(self) -> str:
        """What to do about it."""
        return CODES[self.code].advice

    def __str__(self) -> str:
        calls = "call" if len(self.exchanges) == 1 else "calls"
        numbers = ", ".join(map(str, self.exchanges[:10])) + (", …" if len(self.exchanges) > 10 else "")
        return f"{self.severity}: {self.code} ({calls} {numbers})\n    {self.message}\n    {self.advice}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in `calls` exchanges, in their order; `dropped` older ones had left the journal already."""

    findings: tuple[Finding, ...] = ()
    calls: int = 0
    dropped: int = 0

    @property
    def errors(self) -> list[Finding]:
        """The findings that are errors."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that are warnings."""
        return [finding for finding in self.findings if finding.severity == "warning"]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings are let pass."""
        return not self.errors

    @property
    def codes(self) -> set[str]:
        """The codes of all findings."""
        return {finding.code for finding in self.findings}

    def assert_ok(self) -> None:
        """Raise AssertionError, with the verdict as its text, where there is an error."""
        __tracebackhide__ = True
        if not self.ok:
            raise AssertionError(str(self))

    def raise_for_findings(self) -> None:
        """Raise AssertionError, with the verdict as its text, where there is any finding, warnings included."""
        __tracebackhide__ = True
        if self.findings:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        found = [_counted(len(self.errors), "error"), _counted(len(self.warnings), "warning")]
        among = _counted(self.calls, "call") or "no calls"
        head = f"mockserver's verdict on the client: {' and '.join(filter(None, found)) or 'nothing to object to'} in {among}."
        if self.dropped:
            head += f" ({_counted(self.dropped, 'older call')} had left the journal.)"
        return "\n\n".join([head, *map(str, self.findings)])

    def row(self) -> dict[str, Json]:
        """The verdict as the control API shows it."""
        findings = [
            {
                "code": finding.code,
                "severity": finding.severity,
                "message": finding.message,
                "advice": finding.advice,
                "exchanges": list(finding.exchanges),
            }
            for finding in self.findings
        ]
        return {"ok": self.ok, "calls": self.calls, "dropped": self.dropped, "findings": findings}

    @classmethod
    def of(cls, row: Json) -> Self:
        """The verdict that `row` told. Raises ValueError for anything else."""
        try:
            return cls(tuple(_findings(row["findings"])), int(row["calls"]), int(row["dropped"]))
        except (KeyError, TypeError, ValueError):
            raise ValueError("this is not a verdict of mockserver, or one of another version") from None


def _findings(rows: Iterable[Json]) -> Iterable[Finding]:
    for row in rows:
        if row["code"] not in CODES:
            raise ValueError(row["code"])
        yield Finding(row["code"], str(row["message"]), tuple(map(int, row["exchanges"])))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}" if count else ""
