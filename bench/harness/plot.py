"""A log-log plot as SVG, of lines that may have gaps. No library: a few shapes and labels."""

import math
from html import escape

COLOURS = ("#0b6e99", "#d9480f", "#2b8a3e", "#862e9c", "#c92a2a", "#5f3dc4", "#087f5b", "#e67700", "#364fc7", "#a61e4d", "#495057",
           "#66a80f", "#0c8599")
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, LEGEND = 860, 430, 70, 34, 46, 230


def _decades(low: float, high: float) -> list[float]:
    return [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def _label(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def log_log(title: str, x_label: str, y_label: str, lines: dict) -> str:
    """`lines`: name → list of (x, y), all positive."""
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    x_ticks, y_ticks = _decades(min(x for x, _ in points), max(x for x, _ in points)), \
        _decades(min(y for _, y in points), max(y for _, y in points))
    right, bottom = WIDTH - LEGEND, HEIGHT - BOTTOM

    def place(value, ticks, start, end):
        low, high = math.log10(ticks[0]), math.log10(ticks[-1])
        return start + (math.log10(value) - low) / max(high - low, 1e-9) * (end - start)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" '
           f'role="img" aria-label="{escape(title)}">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>']
    for tick in x_ticks:
        x = place(tick, x_ticks, LEFT, right)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dee2e6"/>'
                   f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_label(tick)}</text>')
    for tick in y_ticks:
        y = place(tick, y_ticks, bottom, TOP)
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dee2e6"/>'
                   f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_label(tick)}</text>')
    out.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>')
    out.append(f'<text x="16" y="{(TOP + bottom) / 2:.0f}" text-anchor="middle" '
               f'transform="rotate(-90 16 {(TOP + bottom) / 2:.0f})">{escape(y_label)}</text>')
    for i, (name, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        dash = ' stroke-dasharray="5 4"' if "distribution" in name else ""
        placed = [(place(x, x_ticks, LEFT, right), place(y, y_ticks, bottom, TOP)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        legend_y = TOP + 10 + i * 18
        out.append(f'<line x1="{right + 14}" y1="{legend_y}" x2="{right + 34}" y2="{legend_y}" stroke="{colour}" stroke-width="2"{dash}/>'
                   f'<text x="{right + 40}" y="{legend_y + 4}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
