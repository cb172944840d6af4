"""The command `mockserver report`: the verdict of a running server, from its control API, as text and as JUnit XML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import click

from mockserver.cli.loading import fail
from mockserver.cli.options import PORT
from mockserver.cli.remote import RemoteError, call
from mockserver.verdict import CODES, Verdict

Json = Any
_SUITE = "mockserver"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@click.command("report")
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="Where the server is.")
@click.option("--key", help="A key of the resource; a server that other machines can reach requires one.")
@click.option("--resource", metavar="NAME", help="Which resource, where there are several.")
@click.option("--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write the verdict as JUnit XML too.")
def command(url: str, key: str | None, resource: str | None, junit: str | None) -> None:
    """Judge how the clients of a running server behave, from its journal.

    Exits with 1 where the verdict has errors, with 2 where there is no verdict.
    """
    try:
        verdict = fetch(url, key, resource)
        if junit is not None:
            Path(junit).write_bytes(junit_xml(verdict))
    except (RemoteError, OSError) as error:
        fail(str(error), status=2)
    click.echo(str(verdict))
    raise SystemExit(0 if verdict.ok else 1)


def fetch(url: str, key: str | None = None, resource: str | None = None) -> Verdict:
    """The verdict of the server at `url` on the clients of one resource. A path in the URL is ignored. Raises RemoteError."""
    query = f"?resource={quote(resource, safe='')}" if resource is not None else ""
    answer = call(url, f"/verdict{query}", key)
    try:
        return Verdict.of(answer)
    except (ValueError, KeyError, TypeError) as error:
        raise RemoteError(f"{url} returned no verdict: {error or type(error).__name__}") from None


def junit_xml(verdict: Verdict) -> bytes:
    """The verdict as JUnit XML: a test case for every kind of finding; errors fail it, warnings are its output."""
    failures = {finding.code for finding in verdict.errors}
    counts = {"tests": str(len(CODES)), "failures": str(len(failures)), "errors": "0", "skipped": "0", "time": "0"}
    root = ElementTree.Element("testsuites", {"name": _SUITE, **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"{_SUITE} verdict", **counts})
    for code in CODES:
        _add_case(suite, code, verdict)
    output = ElementTree.SubElement(suite, "system-out")
    output.text = _clean(str(verdict))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_case(suite: ElementTree.Element, code: str, verdict: Verdict) -> None:
    attributes = {"classname": f"{_SUITE}.verdict", "name": f"{code}: a client {CODES[code].good_client}", "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    findings = [finding for finding in verdict.findings if finding.code == code]
    if not findings:
        return
    text = _clean("\n\n".join(map(str, findings)))
    if CODES[code].severity == "error":
        failure = ElementTree.SubElement(case, "failure", {"type": code, "message": _clean(findings[0].message)})
        failure.text = text
    else:
        ElementTree.SubElement(case, "system-out").text = text


def _clean(text: str) -> str:
    """Text without what XML cannot carry."""
    return _NOT_XML.sub("�", text)
