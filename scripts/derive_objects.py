"""Derive the shapes of stored objects from the recorded exchanges with the real service: no text, name or id is left.

python scripts/derive_objects.py recorded.jsonl > tests/fidelity/objects.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fidelity.objects import reduced


def derive(material: Path) -> str:
    """A line that names the source, and one for each answer."""
    source = {"source": material.name, "sha256": hashlib.sha256(material.read_bytes()).hexdigest()}
    lines = [source, *reduced(material)]
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("material", type=Path)
    sys.stdout.write(derive(arguments.parse_args().material))
