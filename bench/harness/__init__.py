"""What the benchmarks share: servers, content, measuring, tables. Standard library only."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
RESULTS = BENCH / "results"
TOOLS = ROOT / "build" / "tools" / "bin"

sys.path.insert(0, str(ROOT / "tests" / "support"))   # servers beside the registry, and ports


def work_root() -> Path:
    """Where servers keep their data: a real disk, not a tmpfs. BERTH_BENCH_DIR chooses another one."""
    path = Path(os.environ.get("BERTH_BENCH_DIR", ROOT / "build" / "bench"))
    path.mkdir(parents=True, exist_ok=True)
    return path
