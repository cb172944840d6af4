"""What the tests of the testing room share."""

from mockserver.testing import guard

# Python traces no audit hook unless it allows it, so that coverage would miss what the guard does in one.
guard._hook.__cantrace__ = True  # type: ignore[attr-defined]
