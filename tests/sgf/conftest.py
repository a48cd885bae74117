"""Puts this folder on sys.path, for ``import made_shogi``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
