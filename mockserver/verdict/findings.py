"""Findings and the verdict that they make up: for people, for assertions and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Json = Any
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: its severity, what a good client does ("a client …"), and how to fix one that does not."""

    severity: Severity
    good_client: str
    advice: str


CODES: Mapping[str, Code] = {
    "retry_after_ignored": Code(
        "error",
        "waits as long as the response asks for",
        "Wait as long as retry-after-ms says, or else retry-after (in seconds). The SDKs do; a retry loop of your own has to.",
    ),
    "non_retryable_retried": Code(
        "error",
        "does not repeat a request that was refused for good",
        "The same request will be refused again. Retry only 408, 409, 429 and 5xx.",
    ),
    "content_filter_retried": Code(
        "error",
        "does not repeat a prompt that the content filter blocked",
        "The filter judges the same prompt the same way: change the prompt, or inform the user.",
    ),
    "retry_storm": Code(
        "error",
        "makes only a few attempts",
        "Try a few times, wait longer each time, then give up. The SDKs try three times.",
    ),
    "no_backoff": Code(
        "error",
        "waits longer from attempt to attempt",
        "Wait longer before each retry, with some randomness: the SDKs wait about 0.5 s, 1 s, 2 s, up to 8 s.",
    ),
    "gave_up_early": Code(
        "warning",
        "retries after a transient failure",
        "Retry: the SDKs do so twice, unless max_retries=0 is set.",
    ),
    "truncated_stream_accepted": Code(
        "error",
        "does not take a broken stream for a complete one",
        "A stream is complete once finish_reason and [DONE], or response.completed, have arrived. Otherwise send the request again.",
    ),
    "empty_choices_crash": Code(
        "error",
        "skips chunks without choices",
        "Azure's first chunk carries the prompt's filter results and has no choices. Skip such chunks: if chunk.choices.",
    ),
    "deprecated_api": Code(
        "warning",
        "calls the v1 API",
        'Use OpenAI(base_url="{endpoint}/openai/v1/"): no deployment in the path, no dated api-version.',
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a client did wrong: its code, what happened, and the numbers of the exchanges in which it did."""

    code: str
    message: str
    exchanges: tuple[int, ...]

    @property
    def severity(self) -> Severity:
        """`error`, or `warning` for what may be intended."""
        return CODES[self.code].severity

    @property
    def advice(self) -> str:
        """How to fix the client."""
        return CODES[self.code].advice

    def __str__(self) -> str:
        calls = "call" if len(self.exchanges) == 1 else "calls"
        numbers = ", ".join(map(str, self.exchanges[:10])) + (", …" if len(self.exchanges) > 10 else "")
        return f"{self.severity}: {self.code} ({calls} {numbers})\n    {self.message}\n    {self.advice}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings in `calls` exchanges, in call order; `dropped` is how many older ones the journal had dropped."""

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
        """Whether there is no error; warnings are allowed."""
        return not self.errors

    @property
    def codes(self) -> set[str]:
        """The codes of all findings."""
        return {finding.code for finding in self.findings}

    def assert_ok(self) -> None:
        """Raise AssertionError, with the verdict as its text, if there is an error."""
        __tracebackhide__ = True
        if not self.ok:
            raise AssertionError(str(self))

    def raise_for_findings(self) -> None:
        """Raise AssertionError, with the verdict as its text, if there is any finding, warnings included."""
        __tracebackhide__ = True
        if self.findings:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        counts = [quantity(len(found), noun) for found, noun in ((self.errors, "error"), (self.warnings, "warning")) if found]
        head = f"mockserver's verdict on the client: {' and '.join(counts) or 'no findings'} in {quantity(self.calls, 'call')}."
        if self.dropped:
            head += f" (The journal had dropped {quantity(self.dropped, 'older call')}.)"
        return "\n\n".join([head, *map(str, self.findings)])

    def __add__(self, other: Verdict) -> Verdict:
        """The verdict on the clients of both."""
        return Verdict(self.findings + other.findings, self.calls + other.calls, self.dropped + other.dropped)

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
        """The verdict that `row` holds. Raises ValueError for anything but a row of this version."""
        try:
            return cls(tuple(_findings(row["findings"])), int(row["calls"]), int(row["dropped"]))
        except (KeyError, TypeError, ValueError):
            raise ValueError("this is not a verdict of mockserver, or one of another version") from None


def _findings(rows: Iterable[Json]) -> Iterable[Finding]:
    for row in rows:
        if row["code"] not in CODES:
            raise ValueError(row["code"])
        yield Finding(row["code"], str(row["message"]), tuple(map(int, row["exchanges"])))


def quantity(count: int, noun: str) -> str:
    """A number of things, for a message: `1 call`, `2 calls`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
