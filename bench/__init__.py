"""Benchmarks, `python -m bench.<name>`; they share the helpers of the tests (`support`)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
