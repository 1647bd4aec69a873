"""./dev bench [name…] [--quick] [--baseline rev] …: runs the scenarios of bench/scenarios whose name contains a given word."""

import argparse
import importlib
import resource
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import machine, report


@dataclass
class Options:
    quick: bool
    rounds: int
    seconds: float
    cores: str | None
    only: list = field(default_factory=list)
    berth_binaries: dict = field(default_factory=dict)
    sizes: tuple = ()

    def is_whole(self) -> bool:
        """Worth keeping as the figures of docs/performance.md."""
        return not (self.quick or self.only or self.berth_binaries)

    def servers(self, wanted) -> list[str]:
        """The scenario's servers, less those --only leaves out, plus the baseline build of Berth."""
        chosen = [name for name in wanted if not self.only or name in self.only or name == "berth"]
        return [*self.berth_binaries, *(name for name in chosen if name not in self.berth_binaries)]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="words; a scenario runs if its name contains one (default: all)")
    parser.add_argument("--quick", action="store_true", help="a smoke run: two rounds of one second, small stores")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 5, quick 2)")
    parser.add_argument("--seconds", type=float, help="length of one round (default 5, quick 1)")
    parser.add_argument("--cores", choices=("split", "shared"),
                        help="split: servers on one half of the cores, the generator on the other; shared: all on all "
                             "(default: what the scenario says)")
    parser.add_argument("--only", default="", help="servers to compare with, by comma: nginx,distribution3")
    parser.add_argument("--sizes", default="", help="stores of the growth curves, by comma: 1000,1000000")
    parser.add_argument("--baseline-binary", help="another build of Berth to run side by side (set by --baseline)")
    parser.add_argument("--report", action="store_true", help="only write docs/performance.md anew from bench/results")
    parser.add_argument("--list", action="store_true", help="names of the scenarios")
    return parser.parse_args(arguments)


def scenarios():
    folder = Path(__file__).resolve().parent / "scenarios"
    found = [importlib.import_module(f"scenarios.{path.stem}") for path in sorted(folder.glob("*.py"))
             if path.stem != "__init__"]
    return sorted((module for module in found if hasattr(module, "run")), key=lambda module: module.ORDER)


def main(arguments):
    given = parse(arguments)
    known = scenarios()
    if given.list:
        for module in known:
            print(f"{module.NAME:16} {module.__doc__.strip().splitlines()[0]}")
        return 0
    chosen = [module for module in known if not given.names or any(word in module.NAME for word in given.names)]
    if not chosen:
        print(f"bench: no scenario matches {given.names}; there are: {' '.join(m.NAME for m in known)}", file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    options = Options(given.quick, given.rounds or (2 if given.quick else 5), given.seconds or (1 if given.quick else 5),
                      given.cores, [word for word in given.only.split(",") if word])
    options.sizes = tuple(int(size) for size in given.sizes.split(",") if size)
    if given.baseline_binary:
        options.berth_binaries = {"baseline": given.baseline_binary, "berth": None}
    # A terminated run still stops its servers and removes their folders.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for module in [] if given.report else chosen:
        print(f"== {module.NAME}: {module.__doc__.strip().splitlines()[0]}", flush=True)
        machine.watch()
        module.run(options)
    if given.report or options.is_whole():
        print(f"wrote {report.write(known)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
