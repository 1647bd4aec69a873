"""One request after the other on one connection, each timed; and what two sets of such times say about each other."""

import gc
import random
import socket
import statistics
import time

RESAMPLES = 400


class Wire:
    """A keep-alive connection that parses no more of an answer than where it ends."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[float, int]:
        """Microseconds until the answer was there, and its status."""
        began = time.perf_counter_ns()
        self.socket.sendall(request)
        data = self.socket.recv(1 << 16)
        end = data.find(b"\r\n\r\n")
        while end < 0:
            data += self.socket.recv(1 << 16)
            end = data.find(b"\r\n\r\n")
        if not request.startswith(b"HEAD "):
            at = data.lower().find(b"content-length: ", 0, end)
            length = int(data[at + 16:data.index(b"\r", at)]) if at >= 0 else 0
            while len(data) < end + 4 + length:
                data += self.socket.recv(1 << 16)
        took = (time.perf_counter_ns() - began) / 1000
        return took, int(data[9:12])

    def ask_all(self, heads: list, status: int) -> float:
        """Microseconds for each of several HEADs sent at once: what the server takes, without the way there and back and
        without waking up. All must have this status."""
        began = time.perf_counter_ns()
        self.socket.sendall(b"".join(heads))
        data = b""
        while data.count(b"\r\n\r\n") < len(heads):
            data += self.socket.recv(1 << 16)
        took = (time.perf_counter_ns() - began) / 1000 / len(heads)
        if data.count(b"HTTP/1.1 %d " % status) != len(heads):
            raise SystemExit(f"bench: not all were answered with {status}: {data[:300]!r}")
        return took

    def close(self):
        self.socket.close()


class quiet:   # noqa: N801
    """with quiet(): the collector of garbage stays out of the times."""

    def __enter__(self):
        gc.collect()
        gc.disable()

    def __exit__(self, *_):
        gc.enable()


def request(method: str, target: str, authorization: str = "", body: bytes = b"") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: bench\r\n"
    if authorization:
        head += f"Authorization: {authorization}\r\n"
    if method in ("POST", "PUT", "PATCH"):
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def area_under_curve(left: list, right: list) -> float:
    """How often a time of `right` is longer than one of `left` (Mann-Whitney); 0.5: they cannot be told apart by it."""
    ranked = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    rank_sum, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        rank_sum += sum(side for _, side in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    return (rank_sum - len(right) * (len(right) + 1) / 2) / (len(left) * len(right))


def compare(left: list, right: list, comparisons: int, seed=1) -> dict:
    """Median of `right` less that of `left`, and the area under the curve. The interval of the difference, from resampling, is so
    wide that those of as many comparisons hold together with 95 %."""
    chance = random.Random(seed)
    differences = [statistics.median(chance.choices(right, k=len(right))) - statistics.median(chance.choices(left, k=len(left)))
                   for _ in range(RESAMPLES)]
    reach = statistics.NormalDist().inv_cdf(1 - 0.025 / comparisons) * statistics.stdev(differences)
    difference = statistics.median(right) - statistics.median(left)
    return {"difference_us": difference, "low_us": difference - reach, "high_us": difference + reach,
            "auc": area_under_curve(left, right), "median_us": statistics.median(left), "count": len(left)}
