"""Programs that a test runs against a mock: unchanged, with the mock in Azure's place, as `mockserver run` does it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mockserver.proxy.serving import surroundings

if TYPE_CHECKING:
    from mockserver.testing.mock import Mock

Word = str | os.PathLike[str]


def run(
    mock: Mock,
    command: Sequence[Word],
    *,
    allow_hosts: Sequence[str],
    env: Mapping[str, str] | None,
    cwd: Word | None,
    input: str | None,
    timeout: float | None,
    check: bool,
) -> subprocess.CompletedProcess[str]:
    """See `Mock.run`."""
    with surroundings(mock.app, allowed=allow_hosts) as around:
        return subprocess.run(
            list(command),
            env=around.environment(mock.api_key) | dict(env or {}),
            cwd=cwd,
            input=input,
            timeout=timeout,
            check=check,
            capture_output=True,
            encoding="utf-8",
        )
