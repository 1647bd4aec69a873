"""Figures of interleaved rounds: medians, ratios with their spread, targets, tables."""

import json
import statistics
from dataclasses import dataclass, field

from . import RESULTS, machine, work_root


@dataclass
class Point:
    """One thing measured on every server, in rounds: rounds[server] is a list of {metric: value}, one per round."""

    name: str
    rounds: dict = field(default_factory=dict)

    def add(self, server: str, figures: dict):
        self.rounds.setdefault(server, []).append(figures)

    def median(self, server: str, metric: str):
        values = [figures[metric] for figures in self.rounds.get(server, []) if figures.get(metric) is not None]
        return statistics.median(values) if values else None

    def ratio(self, metric: str, over: str, under: str):
        """(median, least, greatest) of the per-round ratios over/under, or None."""
        pairs = zip(self.rounds.get(over, []), self.rounds.get(under, []))
        values = [a[metric] / b[metric] for a, b in pairs if a.get(metric) and b.get(metric)]
        return (statistics.median(values), min(values), max(values)) if values else None


@dataclass
class Target:
    """`metric` of Berth over that of `peer` (peer "" = the figure itself) at `point`, e.g. ≥ 1.0."""

    point: str
    metric: str
    peer: str
    relation: str   # ">=" or "<="
    bound: float

    def judge(self, points: list, subject: str = "berth") -> dict:
        found = next((point for point in points if point.name == self.point), None)
        verdict = {"point": self.point, "metric": self.metric, "peer": self.peer, "relation": self.relation,
                   "bound": self.bound, "value": None, "met": None}
        if found is None:
            return verdict
        if self.peer:
            ratio = found.ratio(self.metric, subject, self.peer)
            if ratio is None:
                return verdict
            verdict["value"], verdict["least"], verdict["greatest"] = ratio
        else:
            verdict["value"] = found.median(subject, self.metric)
            if verdict["value"] is None:
                return verdict
        value = verdict["value"]
        verdict["met"] = bool(value >= self.bound if self.relation == ">=" else value <= self.bound)
        return verdict


def figure(value) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def table(header, rows) -> str:
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]
    return "\n".join(lines)


def print_points(points, metrics, against):
    """Medians per server, and behind them the ratio of Berth to each server of `against` for the first metric."""
    servers = list(dict.fromkeys(server for point in points for server in point.rounds))
    rows = []
    for point in points:
        for server in servers:
            if server not in point.rounds:
                continue
            ratio = point.ratio(metrics[0], "berth", server) if server in against and server != "berth" else None
            rows.append([point.name, server, *(figure(point.median(server, metric)) for metric in metrics),
                         f"×{ratio[0]:.2f} ({ratio[1]:.2f}–{ratio[2]:.2f})" if ratio else ""])
    print(table(["point", "server", *metrics, f"berth : it, {metrics[0]}"], rows))


def print_verdicts(verdicts):
    rows = []
    for v in verdicts:
        spread = f" ({v['least']:.2f}–{v['greatest']:.2f})" if "least" in v else ""
        state = {True: "met", False: "MISSED", None: "not measured"}[v["met"]]
        rows.append([state, v["point"], v["metric"] + (f" : {v['peer']}" if v["peer"] else ""),
                     f"{v['relation']} {v['bound']:g}", figure(v["value"]) + spread])
    print(table(["target", "point", "metric", "wanted", "measured"], rows))


def save(name: str, result: dict, is_whole: bool):
    """bench/results/<name>.json with the machine and the revision; a quick or partial run goes to build/bench/results."""
    folder = RESULTS if is_whole else work_root() / "results"
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"scenario": name, "machine": machine.describe(), **result}
    (folder / f"{name}.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def as_data(points) -> list:
    return [{"name": point.name, "rounds": point.rounds} for point in points]


def conclude(name: str, options, cores, points, metrics, targets, against=(), **extra):
    """Prints the tables, judges the targets, writes the JSON file."""
    verdicts = [target.judge(points) if isinstance(target, Target) else target for target in targets]
    print_points(points, metrics, against)
    print_verdicts(verdicts)
    for server, found in extra.get("unsupported", {}).items():
        for operation, why in found.items():
            print(f"not supported by {server}: {operation}, as it {why}")
    save(name, {"cores": cores.describe(), "rounds": options.rounds, "seconds": options.seconds, "quick": options.quick,
                "metrics": metrics, "points": as_data(points), "targets": verdicts, **extra}, options.is_whole())
