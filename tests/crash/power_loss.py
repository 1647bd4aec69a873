#!/usr/bin/python3
"""Simulated power cuts: records every change the server makes to its folder, rebuilds what a disk may hold after
a cut at any moment, starts the real server on it and checks everything acknowledged before that moment.
"""

import argparse
import copy
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from harness.checker import Checker, wrong_blob_files
from harness.client import Client, Unanswered
from harness.content import blob_bytes, digest_of
from harness.database import integrity_complaint
from harness.model import Model
from harness.server import Server, StartFailed
from harness.sessions import check_after_restart, complete
from harness.shim import NoteWriter, build_library, new_log_env, other_boot
from harness.workload import Worker, prepare_shared
from recording import Recording, new_log
from replay import MODELS, STYLES, CrashState, difference_to

WORKERS, LIVES = 4, 2
NESTED_EVERY = 6        # every so many states the power fails once more, during recovery
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None   # states are many and short-lived


@dataclass
class Scenario:
    recording: Recording
    model: Model
    sessions: list
    acks: list            # record numbers at which something had just been acknowledged
    started: int          # record number at which the first server was listening


def record_scenario(folder: Path, library: Path, seed: int, ops: int) -> Scenario:
    """Two server lives with a proper stop between them, under concurrent clients."""
    data, log = folder / "data", folder / "record.log"
    data.mkdir()
    new_log(log)
    note = NoteWriter(library, log)
    model, sessions, states, started = Model(note), {n: [] for n in range(WORKERS)}, {n: {} for n in range(WORKERS)}, 0
    for life in range(LIVES):
        with Server(data, folder / "server.log", env=new_log_env(library, log, data)) as server:
            server.start()
            started = started or note("listening")
            if life == 0:
                prepare_shared(model, server.port)
            workers = [Worker(f"w{n}", f"{seed}.{life}/{n}", model, server.port, threading.Event(), sessions[n], states[n],
                              ops_max=ops // WORKERS // LIVES) for n in range(WORKERS)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join(timeout=120)
            wrong = [repr(w.error) for w in workers if w.error] + [f"{w.name}: no answer" for w in workers if w.unanswered_at]
            code = server.stop()
            wrong += model.unexpected + [f"SIGTERM: exit {code}"] * (code != 0)
            if wrong:
                raise AssertionError("the recorded run itself failed:\n" + "\n".join(wrong[:10]) + "\n" + server.log_tail())
    recording = Recording(log, data)
    complaint = difference_to(recording, data)
    if complaint:
        raise AssertionError(f"the recorder missed something, its states prove nothing: {complaint}")
    acks = sorted(o.acked for o in model.operations if not o.failed)
    return Scenario(recording, model, [s for group in sessions.values() for s in group], acks, started)


def choose_states(scenario: Scenario, count: int, rng: random.Random):
    """Half right after an acknowledgement, where a missing sync shows; some while the folder is being made; the rest
    anywhere. Models and styles take turns."""
    numbers = scenario.recording.numbers
    for index in range(count):
        if index % 2 == 0:
            cut = rng.choice(scenario.acks)
        elif index % 10 == 1:
            cut = rng.choice([number for number in numbers if number <= scenario.started])
        else:
            cut = rng.choice(numbers)
        yield index, CrashState(scenario.recording, int(cut), MODELS[index // 2 % 2], STYLES[index % len(STYLES)],
                                rng.randrange(1 << 32))


def check_state(scenario: Scenario, state: CrashState, data: Path, scratch: Path) -> list[str]:
    """Starts the server on the folder as after a reboot and compares what it shows with the acknowledgements."""
    cut, wrong = state.cut, []
    with Server(data, scratch / "server.log", prefix=other_boot(scratch, str(uuid.uuid4()))) as server:
        try:
            server.start()
            client = Client(server.port)
            keys = [key for key, r in scenario.model.registers.items() if any(w.invoked <= cut for w, _ in r.writes)]
            wrong += Checker(scenario.model, client, cut).check(keys).violations
            wrong += check_sessions(scenario, client)
            wrong += filter(None, [push_works(client)])
        except StartFailed as failure:
            return [str(failure)]
        except Unanswered as silence:
            return wrong + [f"the server stopped answering: {silence}\n{server.log_tail()}"]
        server.kill9()
    return wrong + list(filter(None, [integrity_complaint(data), *wrong_blob_files(data)]))


def check_sessions(scenario: Scenario, client: Client) -> list[str]:
    """Sessions may be gone. Those that are there can be finished, and the result is verified."""
    wrong = []
    for session in map(copy.copy, scenario.sessions):
        if session.offset_seen(client) is None:
            continue
        complaint = check_after_restart(client, session, after_power_loss=True) or complete(client, session)
        if complaint:
            wrong.append(complaint)
        elif client.get_blob(session.repo, session.digest).body != session.data:
            wrong.append(f"session {session.location} closed with 201 and is not readable (U8)")
    return wrong


def push_works(client: Client) -> str | None:
    data = blob_bytes("after the power cut", 4_000)
    response = client.put_blob_at_once("crash/after", digest_of(data), data)
    if response.status != 201 or client.get_blob("crash/after", digest_of(data)).body != data:
        return f"a push after recovery: {response.brief()}"
    return None


def fail_again(state: CrashState, data: Path, scratch: Path, library: Path, rng: random.Random) -> str:
    """Recovers under the recorder, then cuts the power somewhere in that recovery; `data` becomes the result."""
    before, log = scratch / "before", scratch / "nested.log"
    shutil.copytree(data, before)
    new_log(log, 1 << 28)
    with Server(data, scratch / "nested-server.log", env=new_log_env(library, log, data),
                prefix=other_boot(scratch, str(uuid.uuid4()))) as server:
        server.start()
        server.stop()
    recording = Recording(log, data, base=before)
    complaint = difference_to(recording, data)
    if complaint:
        raise AssertionError(f"the recorder missed something during recovery: {complaint}")
    if not recording.numbers:
        return ""
    again = CrashState(recording, rng.choice(recording.numbers), state.model, rng.choice(STYLES), rng.randrange(1 << 32))
    shutil.rmtree(data)
    again.write(data)
    return f"; then during recovery {again.describe()}"


def run(states: int, seed: int, ops: int, folder: Path) -> tuple[int, list[str]]:
    """States that passed, and the explained failures (at most three, with their folders kept)."""
    rng, began = random.Random(seed), time.monotonic()
    library = build_library("record", folder)
    scenario = record_scenario(folder, library, seed, ops)
    print(f"power: {len(scenario.recording.numbers)} recorded changes, {len(scenario.acks)} acknowledgements, "
          f"{time.monotonic() - began:.0f} s", flush=True)
    passed, failures = 0, []
    for index, state in choose_states(scenario, states, rng):
        scratch = Path(tempfile.mkdtemp(prefix="berth-power-", dir=SCRATCH))
        data, text = scratch / "data", state.describe()
        state.write(data)
        try:
            if index % NESTED_EVERY == NESTED_EVERY - 1:
                text += fail_again(state, data, scratch, library, rng)
            wrong = check_state(scenario, state, data, scratch)
        except AssertionError as error:
            wrong = [str(error)]
        if wrong:
            failures.append("\n".join([f"FAILED: seed {seed}, state {index}: {text}", *(f"- {w}" for w in wrong[:12]),
                                       f"data folder and server log: {scratch}"]))
            if len(failures) == 3:
                break
        else:
            passed += 1
            shutil.rmtree(scratch)
        if (index + 1) % 25 == 0:
            print(f"power: {index + 1}/{states} states, {len(failures)} failed, {time.monotonic() - began:.0f} s", flush=True)
    return passed, failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="?", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of an earlier run")
    parser.add_argument("--ops", type=int, default=600, help="client operations in the recorded run")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"power: {options.states} states with seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="berth-power-"))
    try:
        passed, failures = run(options.states, seed, options.ops, folder)
    except AssertionError as error:
        passed, failures = 0, [f"FAILED: seed {seed}: {error}"]
    shutil.rmtree(folder)
    print("\n".join([*failures, f"power: {passed} states checked, seed {seed}", f"{passed} passed, {len(failures)} failed"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
