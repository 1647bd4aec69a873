#!/usr/bin/python3
"""Kills the server with SIGKILL at random moments under concurrent clients and checks every promise it made.

A 201 or 202 that was read is a promise: blobs and manifests are readable, tags point where they may, deletes
stay deleted, sessions kept their confirmed bytes. What had no answer happened wholly or not at all.
"""

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness.checker import Checker, stray_uploads, wrong_blob_files
from harness.client import Client, Unanswered
from harness.database import integrity_complaint
from harness.model import NEVER, Model
from harness.server import Server, StartFailed, eventually, fsck_is_clean
from harness.sessions import check_after_restart
from harness.workload import Worker, complete_all, prepare_shared

WORKERS = 8
RUN_S = (0.05, 1.5)
FINAL_MAX = 3_000            # registers read at the very end; each was checked in its own round before
OLD_SAMPLE = 150             # registers of earlier rounds that are read again in each round
DEEP_EVERY = 25              # rounds between offline looks at the database and every blob file
KILL_DURING_START = 0.15     # share of rounds that kill the restarting server once more


class KillRounds:
    def __init__(self, seed: int, folder: Path):
        self.seed, self.rng, self.folder = seed, random.Random(seed), folder
        self.data = folder / "data"
        self.model = Model(itertools.count().__next__)
        self.sessions = {n: [] for n in range(WORKERS)}
        self.states = {n: {} for n in range(WORKERS)}
        self.sessions_left = 0          # sessions that may exist though no client knows them
        self.checked, self.starts_ms = 0, []
        self.server = Server(self.data, folder / "server.log")

    def prepare(self):
        self.data.mkdir()
        self.server.start()
        prepare_shared(self.model, self.server.port)

    def round(self, number: int) -> list[str]:
        wrong = self.load_and_kill(number) + self.restart()
        if not wrong:
            wrong = self.check(number)
        if wrong:
            return wrong
        self.model.settle(self.last_check.observed)
        return []

    def load_and_kill(self, number: int) -> list[str]:
        stop = threading.Event()
        workers = [Worker(f"w{n}", f"{self.seed}.{number}/{n}", self.model, self.server.port, stop, self.sessions[n],
                          self.states[n]) for n in range(WORKERS)]
        for worker in workers:
            worker.start()
        # The random moment itself, not a wait for something: short rounds are the more frequent.
        time.sleep(RUN_S[0] + (RUN_S[1] - RUN_S[0]) * self.rng.random() ** 2)
        died = not self.server.alive()
        killed_at = time.monotonic()
        self.server.kill9()
        stop.set()
        for worker in workers:
            worker.join(timeout=30)
        self.sessions_left += sum(worker.sessions_left for worker in workers)
        self.cancelled = [location for worker in workers for location in worker.cancelled]
        wrong = [f"{worker.name}: {worker.error!r}" for worker in workers if worker.error]
        wrong += [f"{worker.name}: no answer {killed_at - worker.unanswered_at:.3f} s before the kill" for worker in workers
                  if worker.unanswered_at and worker.unanswered_at < killed_at]
        wrong += ["a client thread hangs"] * any(worker.is_alive() for worker in workers)
        wrong += [f"the server ended by itself:\n{self.server.log_tail()}"] * died
        return wrong + self.model.unexpected

    def restart(self) -> list[str]:
        try:
            if self.rng.random() < KILL_DURING_START:
                self.server.launch()
                time.sleep(self.rng.random() * 0.03)   # again a random moment
                self.server.kill9()
            self.server.start()
        except StartFailed as failure:
            return [str(failure)]
        self.starts_ms.append(self.server.start_ms)
        return []

    def check(self, number: int) -> list[str]:
        client = Client(self.server.port)
        try:
            wrong = self.check_sessions(client)
            old = [key for key in self.model.registers if key not in self.model.touched]
            keys = [*self.model.touched, *self.rng.sample(old, min(OLD_SAMPLE, len(old)))]
            self.last_check = Checker(self.model, client).check(keys)
        except Unanswered as silence:
            return [f"the restarted server stopped answering: {silence}\n{self.server.log_tail()}"]
        finally:
            client.close()
        self.checked += self.last_check.checked
        wrong += self.last_check.violations + self.model.unexpected
        wrong += filter(None, [self.strays()])
        if number % DEEP_EVERY == DEEP_EVERY - 1:
            wrong += filter(None, [integrity_complaint(self.data), *wrong_blob_files(self.data)])
        return wrong

    def check_sessions(self, client: Client) -> list[str]:
        """Asks for every session the clients hold; some are then finished, the others live on."""
        wrong = [f"cancelled session {location} is back (U12)" for location in self.cancelled
                 if client.request("GET", location).status != 404]
        for n, sessions in self.sessions.items():
            for session in list(sessions):
                complaint = check_after_restart(client, session)
                if complaint:
                    wrong.append(f"w{n}: {complaint}")
                    sessions.remove(session)
                elif session.finishing:
                    self.model.succeed(session.finishing, "201 when sent again")
                    sessions.remove(session)
                elif session.is_gone:
                    sessions.remove(session)
            if self.rng.random() < 0.4:
                resumed = [sessions.pop() for _ in range(min(2, len(sessions)))]
                complete_all(client, self.model, resumed, f"w{n}")
        return wrong

    def strays(self) -> str | None:
        def complaint():
            return stray_uploads(self.data, sum(map(len, self.sessions.values())) + self.sessions_left)
        try:
            eventually(lambda: complaint() is None, 2.0, "uploads holds open sessions only")
        except AssertionError:
            return complaint()
        return None

    def finish(self) -> list[str]:
        """Everything once more, a proper stop, then the offline tools."""
        client, keys = Client(self.server.port), list(self.model.registers)
        final = Checker(self.model, client).check(self.rng.sample(keys, min(FINAL_MAX, len(keys))))
        client.close()
        code = self.server.stop()
        wrong = final.violations + [f"SIGTERM: exit {code}"] * (code != 0)
        return wrong + list(filter(None, [integrity_complaint(self.data), fsck_is_clean(self.data),
                                          *wrong_blob_files(self.data)]))

    def explain(self, number: int, wrong: list[str]) -> str:
        keys = self.last_check.bad_keys if hasattr(self, "last_check") else set()
        inflight = sum(1 for o in self.model.operations if o.acked == NEVER and not o.failed)
        return "\n".join([f"FAILED: seed {self.seed}, round {number}; {inflight} operations without an answer",
                          *(f"- {text}" for text in wrong[:20]), "journal:", self.model.slice_about(keys),
                          f"data folder and server log: {self.folder}"])


def run(rounds: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    """Rounds that passed, and what was wrong in the first that did not."""
    harness = KillRounds(seed, folder)
    began, passed = time.monotonic(), 0
    try:
        harness.prepare()
        for number in range(rounds):
            wrong = harness.round(number)
            if wrong:
                return passed, [harness.explain(number, wrong)]
            passed += 1
            if passed % 10 == 0 or passed == rounds:
                starts = sorted(harness.starts_ms)
                print(f"crash: round {passed}/{rounds}, {harness.checked} acknowledged operations checked, "
                      f"{len(harness.model.registers)} objects, start p50 {starts[len(starts) // 2]:.0f} ms "
                      f"max {starts[-1]:.0f} ms, {time.monotonic() - began:.0f} s", flush=True)
        wrong = harness.finish()
        if wrong:
            return passed, [harness.explain(rounds, wrong)]
        print(f"crash: {rounds} rounds, {harness.checked} acknowledged operations checked, 0 lost")
        return passed, []
    finally:
        harness.server.kill9()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of an earlier run")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"crash: {options.rounds} rounds with seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="berth-crash-"))
    passed, wrong = run(options.rounds, seed, folder)
    if not wrong:
        shutil.rmtree(folder)
    print("\n".join(wrong + [f"{passed} passed, {min(len(wrong), 1)} failed"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
