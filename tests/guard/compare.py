"""What counts as a rise. Figures are per request: {kind: {metric: number}}."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    share: float  # a rise up to this share of the reference passes
    slack: float  # and one up to this number does


# A rounding error is no rise; one fsync more in twenty requests is one.
LIMITS = {
    "instructions": Limit(0.05, 0),
    "hashing": Limit(0.05, 100),
    "allocations": Limit(0.05, 0.5),
    "syscalls": Limit(0.05, 0.5),
    "fsyncs": Limit(0, 0.04),
}


@dataclass(frozen=True)
class Row:
    kind: str
    metric: str
    before: float
    now: float

    @property
    def rise(self) -> float:
        return self.now - self.before

    @property
    def allowed(self) -> float:
        limit = LIMITS[self.metric]
        return max(limit.share * self.before, limit.slack)

    @property
    def rose(self) -> bool:
        return self.rise > self.allowed

    @property
    def fell(self) -> bool:
        return -self.rise > self.allowed

    def text(self) -> str:
        change = f"{self.rise / self.before:+.1%}" if self.before else f"{self.rise:+.2f}"
        word = "ROSE" if self.rose else "fell" if self.fell else ""
        digits = 0 if self.metric in ("instructions", "hashing") else 2
        return (f"{self.kind:<27} {self.metric:<13} {self.before:>14,.{digits}f} {self.now:>14,.{digits}f} "
                f"{change:>9}  {word}").rstrip()


@dataclass
class Verdict:
    rows: list[Row]
    problems: list[str]  # kinds or metrics that only one side has

    def passed(self) -> bool:
        return not self.problems and not any(row.rose for row in self.rows)

    def may_be_lowered(self) -> bool:
        return any(row.fell for row in self.rows)


def compare(reference: dict, measured: dict) -> Verdict:
    """What one side lacks is a failure: a figure that nobody measures guards nothing."""
    rows, problems = [], []
    for kind in [*reference, *(kind for kind in measured if kind not in reference)]:
        if kind not in measured:
            problems.append(f"{kind}: in the reference, but not measured")
        elif kind not in reference:
            problems.append(f"{kind}: measured, but not in the reference")
        else:
            for metric in LIMITS:
                if metric in reference[kind] and metric in measured[kind]:
                    rows.append(Row(kind, metric, reference[kind][metric], measured[kind][metric]))
                else:
                    problems.append(f"{kind}: no figure for {metric} on one of the sides")
    return Verdict(rows, problems)


def differing(reference: dict, here: dict) -> list[str]:
    """Versions that explain a difference nobody caused."""
    return [f"{name}: {reference.get(name, 'unknown')} then, {here.get(name, 'unknown')} now"
            for name in sorted({*reference, *here}) if reference.get(name) != here.get(name)]


def report(verdict: Verdict, versions: list[str]) -> str:
    lines = [f"{'request':<27} {'per request':<13} {'before':>14} {'now':>14} {'change':>9}"]
    lines += [row.text() for row in verdict.rows if row.before or row.now]
    lines += [f"guard: {problem}" for problem in verdict.problems]
    rose = [row for row in verdict.rows if row.rose]
    if not verdict.passed() and versions:
        lines.append("guard: not measured with what the reference was measured with, which may be the reason:")
        lines += [f"  {version}" for version in versions]
    if not verdict.passed():
        lines.append("guard: if this is intended: ./dev guard --update, and the commit says why")
    elif verdict.may_be_lowered():
        lines.append("guard: some figures fell; ./dev guard --update keeps what was won")
    kinds = len({row.kind for row in verdict.rows})
    lines.append(f"guard: {kinds} kinds of request, {len(verdict.rows)} figures, {len(rose)} rose, "
                 f"{len(verdict.problems)} missing: {'passed' if verdict.passed() else 'FAILED'}")
    return "\n".join(lines)
