"""docs/performance.md and its pictures, from bench/method.md and bench/results/*.json."""

import json

from . import BENCH, RESULTS, ROOT, plot
from .points import Point, figure

PAGE = ROOT / "docs" / "performance.md"
NAMES = {"p50_us": "p50 µs", "p90_us": "p90 µs", "p99_us": "p99 µs", "p999_us": "p99.9 µs", "rps": "requests/s",
         "cpu_us_per_request": "CPU µs/request", "cpu_s_per_gib": "CPU s/GiB", "gib_per_s": "GiB/s", "mib_per_s": "MiB/s",
         "peak_rss_mib": "peak RSS MiB", "rss_mib": "RSS MiB", "pss_mib": "PSS MiB", "server_cores": "cores, server",
         "load_cores": "cores, generator", "images_per_s": "images/s", "cpu_ms_per_image": "CPU ms/image",
         "fsyncs_per_image": "fsyncs/image", "ready_ms": "ready ms", "bytes_per_manifest": "DB bytes/manifest",
         "server_cpu_s": "CPU s", "resumed_share": "resumed", "seconds": "s", "count": "per round", "difference_us": "difference of medians µs",
         "low_us": "from", "high_us": "to", "auc": "AUC", "median_us": "median µs", "auc_off": "AUC off 0.5 by",
         "apart_us": "medians surely apart, µs", "decision_us": "µs per decision",
         "first_us": "first time µs", "again_us": "again µs"}
WORDS = {True: "met", False: "**missed**", None: "not measured"}


def row(cells) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def verdict_row(verdict) -> str:
    spread = f" ({figure(verdict['least'])}–{figure(verdict['greatest'])})" if "least" in verdict else ""
    what = NAMES.get(verdict["metric"], verdict["metric"]) + (f" : {verdict['peer']}" if verdict["peer"] else "")
    relation = {">=": "≥", "<=": "≤"}[verdict["relation"]]
    return row([verdict["point"], what, f"{relation} {verdict['bound']:g}", figure(verdict["value"]) + spread, WORDS[verdict["met"]]])


def figures_table(result, hidden=()) -> list[str]:
    points = [Point(data["name"], data["rounds"]) for data in result["points"]]
    metrics = [metric for metric in result["metrics"]
               if metric not in hidden and any(p.median(server, metric) is not None for p in points for server in p.rounds)]
    lines = [row(["", "server", *(NAMES.get(metric, metric) for metric in metrics), "Berth : it"]),
             row(["---"] * (len(metrics) + 3))]
    for point in points:
        for server in point.rounds:
            ratio = point.ratio(metrics[0], "berth", server) if server != "berth" else None
            lines.append(row([point.name, server, *(figure(point.median(server, metric)) for metric in metrics),
                              f"{ratio[0]:.2f} ({ratio[1]:.2f}–{ratio[2]:.2f})" if ratio else ""]))
    return lines


def pictures(module, result) -> list[str]:
    """As the scenario's PICTURES say: (file, title, x axis, y axis, {metric: series or None for every series}). A point's name
    is "series, x"; what is not Berth's is named with its server."""
    made = []
    for file, title, x_axis, y_axis, wanted in getattr(module, "PICTURES", ()):
        lines = {}
        for data in result["points"]:
            series, x = data["name"].rsplit(", ", 1)
            point = Point(data["name"], data["rounds"])
            for server in point.rounds:
                for metric, only in wanted.items():
                    value = point.median(server, metric)
                    if not value or only not in (None, series):
                        continue
                    what = NAMES.get(metric, metric) if len(wanted) > 1 else series
                    name = server if only else what if server == "berth" else f"{what} ({server})"
                    lines.setdefault(name, []).append((int(x.replace(",", "")), value))
        if picture := plot.log_log(title, x_axis, y_axis, lines):
            (ROOT / "docs" / f"performance_{file}.svg").write_text(picture, encoding="utf-8")
            made.append(f"![{title}](performance_{file}.svg)")
    return made


def neighbours(machine) -> str:
    """Figures from a busy machine say so."""
    used = machine.get("others_cores", 0)
    return f"; **other processes kept {used:.1f} of {machine['cores']} cores busy meanwhile**" if used >= 0.1 else ""


def section(module, result) -> list[str]:
    machine = result["machine"]
    lines = [f"## {module.NAME.replace('_', ' ').capitalize()}", "", " ".join(module.__doc__.split()), ""]
    servers = "; ".join(f"{name}: {version}" for name, version in result.get("versions", {}).items())
    without = "; ".join(f"{name} ({why})" for name, why in result.get("absent", {}).items())
    lines.append(f"{result['rounds']} rounds, cores {result['cores']['mode']}, revision {machine['revision']}, {machine['measured_at'][:10]}"
                 f"{neighbours(machine)}. "
                 f"{servers}." + (f" Absent: {without.replace(str(ROOT) + '/', '')}." if without else ""))
    lines.append("")
    if result["targets"]:
        lines += [row(["what", "figure", "wanted", "measured", ""]), row(["---"] * 5), *map(verdict_row, result["targets"]), ""]
    losses = [f"{verdict['point']}, {verdict['peer']}: {'; '.join(verdict['losses'])}" for verdict in result["targets"] if verdict.get("losses")]
    if losses:
        lines += ["Not below the peer: " + ". ".join(losses) + ".", ""]
    if text := not_supported(result):
        lines += [f"Not supported: {text}.", ""]
    if made := pictures(module, result):
        lines += [*made, ""]
    return [*lines, "<details><summary>Figures (medians of the rounds)</summary>", "", *figures_table(result), "", "</details>", ""]


def not_supported(result) -> str:
    """What a server answers otherwise than the others, and why; its row is not compared."""
    return "; ".join(f"{name}: {operation}, as it {why}" for name, found in result.get("unsupported", {}).items()
                     for operation, why in found.items())


def summary(results) -> list[str]:
    """Losses first: what a reader must know."""
    judged = [(name, verdict) for name, result in results.items() for verdict in result["targets"]]
    missed = [(name, verdict) for name, verdict in judged if verdict["met"] is False]
    open_ = sum(verdict["met"] is None for _, verdict in judged)
    lines = [f"Of {len(judged)} targets {sum(v['met'] is True for _, v in judged)} are met, {len(missed)} are missed and {open_} were not "
             "measured (a peer or a feature was absent).", ""]
    if missed:
        lines += ["What is missed:", "", row(["what", "figure", "wanted", "measured", ""]), row(["---"] * 5)]
        lines += [verdict_row(verdict) for _, verdict in missed]
    return lines


def write(modules):
    results = {}
    for module in modules:
        path = RESULTS / f"{module.NAME}.json"
        if path.exists():
            results[module.NAME] = json.loads(path.read_text(encoding="utf-8"))
    lines = [(BENCH / "method.md").read_text(encoding="utf-8").rstrip(), ""]
    if results:
        machine = next(iter(results.values()))["machine"]
        lines += ["## Machine", "", f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_mib']} MiB, {machine['os']}, Linux "
                  f"{machine['kernel']}, {machine['file_system']}.", "", "## Targets", "", *summary(results), ""]
    for module in modules:
        if module.NAME in results:
            lines += section(module, results[module.NAME])
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return PAGE.relative_to(ROOT)
