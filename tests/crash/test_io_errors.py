"""Every single system call of a push is made to fail in turn (storage 1.6): the request answers 5xx or succeeds,
the process lives, nothing acknowledged is lost, and the next push works without a restart."""

import errno

import pytest

from harness.checker import Checker, stray_uploads, wrong_blob_files
from harness.client import Client, Unanswered
from harness.content import blob_bytes, digest_of
from harness.database import integrity_complaint
from harness.faults import (ALLOCATES, CREATES, DATABASE, FILES, READS, RENAMES, SYNCS, TRUNCATES, UNLINKS, WRITES,
                            FaultControl)
from harness.scenario import Scenario, new_model, push_and_read
from harness.server import Server, eventually, fsck_is_clean
from harness.shim import build_library

N_MAX = 3_000               # calls of one kind in one scenario; far more than there are
DATABASE_SYNC_EXIT = 74     # storage 1.6: only a failed sync of the database may end the process, or its writes
HEALTHY_WITHIN_S = 10.0


def numbers_to_fail(dense: int, growth: float):
    """1, 2, 3, … `dense`, then in growing steps: a commit is hundreds of equal page writes."""
    n = 1
    while n < N_MAX:
        yield n
        n = n + 1 if n < dense else max(n + 1, int(n * growth))


QUICK, HEALS_SLOWLY = (30, 1.15), (4, 1.7)   # after a full database the server waits for its next look at the disk
CASES = {
    "full disk, blob writes": (WRITES, FILES, errno.ENOSPC, QUICK),
    "full disk, database writes": (WRITES, DATABASE, errno.ENOSPC, HEALS_SLOWLY),
    "full disk, new files": (CREATES, FILES, errno.ENOSPC, QUICK),
    "full disk, reserving space": (ALLOCATES, FILES, errno.ENOSPC, QUICK),
    "full disk, renames": (RENAMES, FILES, errno.ENOSPC, QUICK),
    "broken disk, blob writes": (WRITES, FILES, errno.EIO, QUICK),
    "broken disk, database writes": (WRITES, DATABASE, errno.EIO, QUICK),
    "broken disk, blob syncs": (SYNCS, FILES, errno.EIO, QUICK),
    "broken disk, database syncs": (SYNCS, DATABASE, errno.EIO, QUICK),
    "broken disk, new files": (CREATES, FILES, errno.EIO, QUICK),
    "broken disk, renames": (RENAMES, FILES, errno.EIO, QUICK),
    "broken disk, unlinks": (UNLINKS, FILES, errno.EIO, QUICK),
    "broken disk, truncates": (TRUNCATES, FILES | DATABASE, errno.EIO, QUICK),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build_library("fault", tmp_path_factory.mktemp("built"))


class Bench:
    """A server under the injector, its journal and what was found wrong."""

    def __init__(self, library, folder):
        self.data = folder / "data"
        self.data.mkdir()
        self.control = FaultControl(folder / "control")
        self.model = new_model()
        self.server = Server(self.data, folder / "server.log", env=self.control.environment(library, self.data))
        self.restarts = 0

    def after_fault(self, scenario: Scenario, kinds, area):
        """The same process goes on. After a failed sync of the database it may end, or refuse all writes until a
        restart: no later commit could be trusted."""
        may_need_restart = kinds == SYNCS and area == DATABASE
        if not self.server.alive():
            code = self.server.wait_exit()
            assert code == DATABASE_SYNC_EXIT and may_need_restart, f"the process ended with {code}:\n{self.server.log_tail()}"
            self.restarts += 1
            self.server.start()
        assert scenario.wrong == [], self.explain(scenario)
        if may_need_restart and self.refuses_writes():
            self.server.kill9()   # what a clean end might still write must not matter
            self.restarts += 1
            self.server.start()

    def refuses_writes(self) -> bool:
        client = Client(self.server.port)
        refused = push_and_read(client, self.model, "faults/probe", "probe") is not None
        self.check(self.model.touched)   # reads go on
        client.close()
        return refused

    def explain(self, scenario) -> str:
        return "\n".join([*scenario.wrong, self.model.slice_about([]), self.server.log_tail()])

    def check(self, keys):
        client = Client(self.server.port)
        checker = Checker(self.model, client).check(list(keys))
        client.close()
        assert checker.violations == [], "\n".join(checker.violations) + "\n" + self.model.slice_about(checker.bad_keys)
        return checker

    def becomes_healthy(self, repo, seed):
        client, answers = Client(self.server.port), []

        def healthy():
            answers.append(push_and_read(client, self.model, repo, seed))
            return answers[-1] is None
        eventually(healthy, HEALTHY_WITHIN_S, "pushes work again")
        client.close()

    def finish(self):
        """After a kill and a fresh start nothing is lost; the folder is in order."""
        self.server.kill9()
        self.server.start()
        self.check(self.model.registers)
        assert self.server.stop() == 0
        assert fsck_is_clean(self.data) is None
        assert integrity_complaint(self.data) is None
        assert wrong_blob_files(self.data) == []


@pytest.mark.parametrize("case", CASES)
def test_each_call_of_a_push_may_fail(case, library, tmp_path):
    kinds, area, error, steps = CASES[case]
    bench = Bench(library, tmp_path)
    refused = hits = 0
    with bench.server:
        bench.server.start()
        for n in numbers_to_fail(*steps):
            client = Client(bench.server.port)
            scenario = Scenario(client, bench.model, f"faults/n{n}", bench.server)
            bench.control.arm(kinds, area, error, n)
            scenario.run()
            hit = bench.control.disarm()
            client.close()
            bench.after_fault(scenario, kinds, area)
            bench.becomes_healthy(f"faults/n{n}", f"{case} {n}")
            bench.model.settle(bench.check(bench.model.touched).observed)
            refused, hits = refused + scenario.refused, hits + (hit > 0)
            if not hit:
                break
        else:
            pytest.fail(f"still failing calls at n = {N_MAX}")
        bench.finish()
    print(f"{case}: {hits} calls failed in turn, {refused} requests refused, {bench.restarts} restarts")


def test_a_disk_that_stays_full_refuses_pushes_and_still_reads(library, tmp_path):
    """From the n-th write on every write of any file fails; then the disk is well again."""
    bench = Bench(library, tmp_path)
    with bench.server:
        bench.server.start()
        bench.becomes_healthy("full/before", "before")
        for n in (1, 2, 5, 9, 14):
            client = Client(bench.server.port)
            scenario = Scenario(client, bench.model, f"full/n{n}", bench.server)
            bench.control.arm(WRITES | CREATES | ALLOCATES, FILES | DATABASE, errno.ENOSPC, n, sticky=True)
            scenario.run()
            reads = Checker(bench.model, client).check(list(bench.model.registers))
            bench.control.disarm()
            client.close()
            bench.after_fault(scenario, WRITES, FILES)
            assert scenario.refused > 0 and reads.violations == [], reads.violations
            bench.becomes_healthy(f"full/n{n}", f"after {n}")
        bench.finish()


@pytest.mark.parametrize("area", [FILES, DATABASE], ids=["blob reads", "database reads"])
def test_a_failed_read_is_never_served_as_good(area, library, tmp_path):
    """5xx, or a connection that ends before the last byte; never 200 with whole but wrong bytes, never 404."""
    bench = Bench(library, tmp_path)
    data = blob_bytes("read me", 900_000)
    with bench.server:
        bench.server.start()
        client = Client(bench.server.port)
        assert client.put_blob_at_once("reads/a", digest_of(data), data).status == 201
        for n in range(1, 13):
            bench.control.arm(READS, area, errno.EIO, n)
            try:
                response = client.get_blob("reads/a", digest_of(data))
                assert response.status >= 500 or (response.status == 200 and response.body == data), response.brief()
            except Unanswered:
                pass
            hit = bench.control.disarm()
            assert bench.server.alive(), bench.server.log_tail()
            again = client.get_blob("reads/a", digest_of(data))
            assert again.status == 200 and again.body == data, f"after a passing read error: {again.brief()}"
            if not hit:
                break
        assert stray_uploads(bench.data, 0) is None
