"""One server under a tool (callgrind, strace, none): started on a copy of the data, asked, stopped."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from wire import Connection

ROOT = Path(__file__).resolve().parents[2]
LISTENING = re.compile(r"http\.listening address=127\.0\.0\.1:(\d+) tls=([01])")
START_S, SETTLE_S, STOP_S = 60, 60, 60
HOUSEKEEPING_S = 1.5  # it turns each second

# Threads that work by the clock, not for a request: how often they run depends on the speed of the machine.
BY_THE_CLOCK = {"housekeeping", "log", "scrub", "strays"}
WAITING_IN = {"202", "232", "281"}  # futex, epoll_wait, epoll_pwait

# Which variant of memcpy or SHA-256 runs depends on the processor; these choose one that every x86-64 machine has, so
# that figures of two machines can be compared.
SAME_PROCESSOR = {
    "OPENSSL_ia32cap": ":0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-ERMS,-FSRM,-BMI2,-RTM,-MOVBE",
}


def binary() -> str:
    path = os.environ.get("BERTH_BIN", str(ROOT / "build/release/berth"))
    if not os.access(path, os.X_OK):
        raise SystemExit(f"guard: no server to measure: {path} (build it, or set BERTH_BIN)")
    return path


def make_certificate(folder: Path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "30", "-subj", "/CN=localhost", "-keyout", str(folder / "key.pem"), "-out",
                    str(folder / "cert.pem")], check=True, capture_output=True)


def strip_debug(folder: Path):
    """The same code without line tables: Debian 12's valgrind gives up at those of clang 19. Symbols stay."""
    subprocess.run(["llvm-objcopy-19", "--strip-debug", binary(), str(folder / "berth")], check=True)


class Served:
    """`with Served(folder, data, prefix) as server:` has two connections, plain and TLS, on one I/O thread."""

    def __init__(self, folder: Path, data: Path, prefix=()):
        self.log_path = folder / "server.log"
        self.command = [*prefix, str(folder / "berth"), "serve", "--config", str(folder / "empty.toml"), "--data", str(data),
                        "--listen", "http://127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--anonymous", "write",
                        "--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem"), "--threads", "1",
                        "--access-log", "off", "--scrub-rate", "0", "--log-format", "text"]
        (folder / "empty.toml").touch()
        self.counted = []

    def __enter__(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**environment, **SAME_PROCESSOR})
        try:
            ports = self._wait_for_ports()
            self.plain, self.secure = Connection(ports[False]), Connection(ports[True], tls=True)
            self.plain.before_next_piece = self.secure.before_next_piece = self.settle
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def _wait_for_ports(self) -> dict:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            text = self.log_path.read_text(encoding="utf-8", errors="replace")
            ports = {tls == "1": int(port) for port, tls in LISTENING.findall(text)}
            if len(ports) == 2:
                return ports
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise SystemExit(f"guard: the server did not start; {' '.join(self.command)}\n{text}")

    def __exit__(self, *_):
        self.plain.close()
        self.secure.close()
        server = self.server_pid()
        if self.process.poll() is None and server:
            os.kill(server, signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def threads(self) -> list[int]:
        """Those that work for requests: neither the main thread nor those of the clock."""
        if not self.counted:
            server = self.server_pid()
            for task in Path(f"/proc/{server}/task").iterdir():
                if int(task.name) != server and (task / "comm").read_text().strip() not in BY_THE_CLOCK:
                    self.counted.append(int(task.name))
        return self.counted

    def settle(self):
        """Until nothing is left to do. Whether a thread finds its next work at once or goes to sleep first would
        otherwise be a matter of speed, and with it the number of system calls."""
        end = time.monotonic() + SETTLE_S
        calm = 0
        while calm < 2:
            calm = calm + 1 if all(is_waiting(thread) for thread in self.threads()) else 0
            if time.monotonic() > end:
                raise SystemExit(f"guard: the server is not idle {SETTLE_S} s after an answer")

    def finish_later_work(self):
        """Housekeeping has the writer note each second what was pushed; so that it falls into the interval of the push
        it belongs to, and not into the next one as the clock likes."""
        time.sleep(HOUSEKEEPING_S)
        self.settle()

    def server_pid(self) -> int:
        """The server itself: the child of strace, else what was started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid


def is_waiting(thread: int) -> bool:
    """Asleep in a call that waits for work. Under valgrind a thread that waits for its turn is in another call."""
    folder = Path(f"/proc/{thread}")
    if (folder / "syscall").read_text().split()[0] not in WAITING_IN:
        return False
    return (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] == "S"
