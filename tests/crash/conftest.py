"""Puts this folder on the import path; the suites run as `/usr/bin/python3 -m pytest tests/crash`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
