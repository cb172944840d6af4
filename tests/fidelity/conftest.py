"""What needs the material that is kept outside this repository is collected only where that is."""

from fidelity.official import MATERIAL

collect_ignore = [] if MATERIAL.exists() else ["test_material.py"]
