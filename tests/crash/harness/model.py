"""What the server may answer after a crash, from the journal of requests and acknowledgements.

Every visible thing is a register: ("blob", repo, digest) and ("manifest", repo, digest) hold True or False,
("tag", repo, name) holds a digest or None. An operation writes one or more registers at once. The order of
events is a number that only grows, taken before a request is sent and after its whole response was read.
"""

import threading
import time
from dataclasses import dataclass, field

NEVER = float("inf")
END = 1 << 62              # after every event there is, before NEVER


@dataclass(eq=False)
class Operation:
    name: str
    worker: str
    effects: dict          # register key -> value
    invoked: int
    acked: float = NEVER   # NEVER: no success was read, so it may or may not have happened
    failed: bool = False   # refused with a 4xx: it must not have happened
    outcome: str = "no answer"
    at_s: float = 0.0
    subject: str | None = None   # of a manifest push with a subject: (R5)

    def line(self) -> str:
        what = ", ".join(f"{'/'.join(key[1:])[-60:]}={value}" for key, value in self.effects.items())
        return f"  {self.at_s:10.4f} {self.worker:>4} #{self.invoked} {self.name}: {what} -> {self.outcome}"


@dataclass
class Register:
    base: object           # value known at `base_at`
    base_at: float = -1
    writes: list = field(default_factory=list)   # (operation, value)

    def possible(self, cut: float = END) -> set:
        """Values a crash right after event `cut` may leave. A write is out once a later acknowledged one,
        which began after it was acknowledged, has certainly replaced it."""
        known = [(w, v) for w, v in self.writes if w.invoked <= cut and not w.failed]
        last_start = max((w.invoked for w, _ in known if w.acked <= cut), default=-1)
        values = {v for w, v in known if w.acked > cut or w.acked > last_start}
        if last_start < 0:
            values.add(self.base)
        return values


class Model:
    """Thread-safe journal; `stamp` gives the next event number (the power-loss run logs it beside the system calls)."""

    def __init__(self, stamp):
        self.stamp = stamp
        self.lock = threading.Lock()
        self.registers: dict[tuple, Register] = {}
        self.operations: list[Operation] = []
        self.touched: set = set()
        self.referrers: dict[tuple, set] = {}      # (repo, subject digest) -> manifest digests ever pushed with it
        self.unexpected: list[str] = []
        self.acknowledged = 0
        self.began = time.monotonic()

    def begin(self, name, worker, effects, subject=None) -> Operation:
        operation = Operation(name, worker, effects, 0, at_s=time.monotonic() - self.began, subject=subject)
        with self.lock:
            for key, value in effects.items():
                self.registers.setdefault(key, Register(None if key[0] == "tag" else False)).writes.append((operation, value))
                self.touched.add(key)
                if subject and key[0] == "manifest":
                    self.referrers.setdefault((key[1], subject), set()).add(key[2])
            self.operations.append(operation)
            operation.invoked = self.stamp()       # before the request leaves
        return operation

    def succeed(self, operation, status):
        operation.acked = self.stamp()
        operation.outcome = str(status)
        with self.lock:
            self.acknowledged += 1

    def refuse(self, operation, response):
        operation.failed = True
        operation.outcome = response.brief()

    def report(self, text: str):
        with self.lock:
            self.unexpected.append(text)

    def value(self, key):
        """The one value a register can have now, for a caller that is its only writer; else KeyError."""
        register = self.registers.get(key)
        values = register.possible() if register else {None if key[0] == "tag" else False}
        if len(values) != 1:
            raise KeyError(key)
        return next(iter(values))

    def settle(self, observed: dict):
        """After a check: what was read is the truth the next round starts from; old writes are forgotten."""
        with self.lock:
            for key, value in observed.items():
                self.registers[key] = Register(value)
            self.operations.clear()
            self.touched.clear()

    def slice_about(self, keys, limit: int = 40) -> str:
        """The journal lines that concern `keys`, then everything that had no answer."""
        about = [o for o in self.operations if any(key in o.effects for key in keys)]
        open_ones = [o for o in self.operations if o.acked == NEVER and not o.failed and o not in about]
        lines = [o.line() for o in about[-limit:]]
        if open_ones:
            lines += ["  -- without an answer:"] + [o.line() for o in open_ones[-limit:]]
        return "\n".join(lines)
