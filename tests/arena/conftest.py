"""Puts this folder on sys.path: for ``import fakes``, and for `python:fakes:NAME` in workers too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
