"""A disk that is really full (storage 1.6): uploads fail clearly, reads and deletes go on, nothing is damaged, and
pushes work again without a restart once there is space."""

import threading
import time

import pytest

from harness.checker import Checker
from harness.client import Client, stored_bytes
from harness.content import CONFIG_TYPE, LAYER_TYPE, blob_bytes, descriptor, digest_of, image_manifest
from harness.database import integrity_complaint
from harness.scenario import Scenario, new_model, push_and_read
from harness.server import Server, eventually, fsck_is_clean, run_berth
from harness.small_disk import SmallDisk

DISK_MB = 320
LAYER = 3_000_000
PUSHES_MAX = 120       # more than fit
BACK_WITHIN_S = 20.0   # the watermarks are looked at every second
DELETES = 12
HOUSEKEEPING_S = 1.0    # its turn
SESSION_BYTES = 1_000
LEFT_FOR_PUSHES = 7 << 20  # below the mark where nothing but deletes is accepted


def clear_refusal(response) -> str | None:
    """None for what a client can show and retry: 503, UNAVAILABLE, Retry-After (H4, H8)."""
    if response.status != 503:
        return f"status {response.brief()}"
    if response.error_code() != "UNAVAILABLE" or not response.header("retry-after").isdigit():
        return f"{response.brief()} with headers {response.headers}"
    return None


def push_until_refused(port, model, name, wrong):
    """Distinct layers until one is refused; the refusal must be a clear one."""
    client = Client(port)
    for number in range(PUSHES_MAX):
        data = blob_bytes(f"{name} {number}", LAYER)
        operation = model.begin("blob POST", name, {("blob", "full/a", digest_of(data)): True})
        response = client.put_blob_at_once("full/a", digest_of(data), data)
        if response.status != 201:
            operation.outcome = response.brief()
            complaint = clear_refusal(response)
            break
        model.succeed(operation, 201)
    else:
        complaint = "the disk never filled"
    if complaint:
        wrong.append(f"{name}: {complaint}")
    client.close()


def push_images(scenario: Scenario, count: int) -> list[tuple]:
    """Small images to delete later: (tag, manifest digest)."""
    config = b'{"small":true}'
    assert scenario.put_blob(config)
    made = []
    for number in range(count):
        layer = blob_bytes(f"layer {number}", 2_000)
        assert scenario.put_blob(layer)
        manifest = image_manifest(descriptor(CONFIG_TYPE, config), [descriptor(LAYER_TYPE, layer)], f"{number}")
        scenario.put_manifest(f"t{number}", manifest)
        made.append((f"t{number}", digest_of(manifest)))
    assert scenario.wrong == []
    return made


def every_write_is_refused(client, location):
    """Each kind of upload gets the clear refusal, once the server has noticed. The manifest is one that could not be
    stored in better times either: until then it leaves nothing behind."""
    data = blob_bytes("one more", 200_000)
    manifest = image_manifest(descriptor(CONFIG_TYPE, b"never pushed"), [], "late")
    attempts = {
        "blob POST": lambda: client.put_blob_at_once("full/a", digest_of(data), data),
        "PATCH": lambda: client.append(location, data),
        "manifest PUT": lambda: client.put_manifest("full/a", "late", manifest),
    }
    for name, attempt in attempts.items():
        answers = []

        def refused(attempt=attempt, answers=answers):
            answers.append(attempt())
            return clear_refusal(answers[-1]) is None
        try:
            eventually(refused, 5.0, f"{name} is refused on a full disk")
        except AssertionError as late:
            raise AssertionError(f"{late}; last answer {answers[-1].brief()} {answers[-1].headers}") from None
        assert all(answer.status in (201, 202, 400, 503) for answer in answers), [a.brief() for a in answers]


def delete_some(scenario: Scenario, images):
    """The reserve keeps the database writable: tags and manifests can go (D1). Only the very first request that
    meets the full disk may be told to come again, while the reserve is given up."""
    client, repo = scenario.client, scenario.repo

    def deleted(effects, reference):
        return scenario.act("DELETE", effects, lambda: client.delete_manifest(repo, reference), 202)
    for number, (tag, digest) in enumerate(images):
        effects = {("tag", repo, tag): None}
        if number == 0:
            eventually(lambda e=effects, t=tag: deleted(e, t) or scenario.wrong, 5.0, "a first delete on the full disk")
            scenario.refused = 0
        else:
            deleted(effects, tag)
        deleted({("manifest", repo, digest): False}, digest)
    assert scenario.wrong == [] and scenario.refused == 0, "deletes on a full disk:\n" + "\n".join(scenario.wrong) \
        + scenario.model.slice_about([])


def begin_session(client) -> str:
    """A session with confirmed bytes, to go on with when the disk is well again."""
    started = client.start_upload("full/a")
    first = client.append(started.header("location"), b"x" * SESSION_BYTES)
    assert (started.status, first.status) == (202, 202)
    return first.header("location")


def go_on(client, location):
    """U7: what was confirmed is still there; what came with a refusal may or may not be."""
    seen = client.request("GET", location)
    offset = stored_bytes(seen)[0]
    assert offset >= SESSION_BYTES, f"the open session lost confirmed bytes: {seen.headers}"
    assert client.append(location, b"y" * 1000, offset).status == 202


def check_everything(model, server):
    client = Client(server.port)
    checker = Checker(model, client).check(list(model.registers))
    client.close()
    assert checker.violations == [], "\n".join(checker.violations)


def with_pushers(server, model):
    wrong = []
    pushers = [threading.Thread(target=push_until_refused, args=(server.port, model, f"pusher{n}", wrong)) for n in range(3)]
    for thread in pushers:
        thread.start()
    for thread in pushers:
        thread.join(timeout=120)
    assert wrong == []


def keep_full(disk):
    """Another program takes each byte there is, for two turns of the server's housekeeping."""
    end = time.monotonic() + 2 * HOUSEKEEPING_S
    while time.monotonic() < end:
        disk.fill()
        time.sleep(0.05)
    assert disk.free_bytes() < 1 << 20 and (disk.data / "ballast").exists(), "the reserve is for deletes"


def filled_by_pushes(disk, server, model):
    """Faster than the server looks at its watermarks: pushes are weighed all the same and leave room for the rest.
    Then that goes too, while the server still has notes about the pushes to write: they do not cost the reserve, which
    the other program would take at once."""
    with_pushers(server, model)
    assert disk.free_bytes() > 4 << 20, "pushes alone must not fill a disk"
    keep_full(disk)


def filled_by_both(disk, server, model):
    """Another program takes nearly all, and before the server has noticed pushes meet the real end of the disk. The
    program must not go on after that: ending a failed push makes room, and may have been given the reserve for it."""
    disk.fill(leave_bytes=LEFT_FOR_PUSHES)
    with_pushers(server, model)


def filled_by_another_program(disk, _server, _model):
    """At once and to the last byte."""
    keep_full(disk)


@pytest.mark.parametrize("fill", [filled_by_pushes, filled_by_both, filled_by_another_program])
@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_a_full_disk_refuses_pushes_only_until_there_is_space(kind, fill, tmp_path):
    model = new_model()
    with SmallDisk(kind, tmp_path, DISK_MB) as disk, Server(disk.data, tmp_path / "server.log") as server:
        server.start()
        client = Client(server.port)
        scenario = Scenario(client, model, "full/a", server)
        images = push_images(scenario, DELETES)
        location = begin_session(client)
        fill(disk, server, model)

        manifest = image_manifest(descriptor(CONFIG_TYPE, b'{"small":true}'), [], "late")
        every_write_is_refused(client, location)
        check_everything(model, server)                      # reads go on
        delete_some(scenario, images[:DELETES // 2])
        every_write_is_refused(client, location)   # the reserve is for deletes only
        server.kill9()                                       # a crash now must not need space to recover from
        server.start()
        check_everything(model, server)
        client = scenario.client = Client(server.port)
        delete_some(scenario, images[DELETES // 2:])

        pid = server.process.pid
        disk.empty()
        answers = []
        eventually(lambda: answers.append(push_and_read(client, model, "full/a", "space again")) or answers[-1] is None,
                   BACK_WITHIN_S, "pushes work again without a restart")
        scenario.put_manifest("late", manifest)
        go_on(client, location)
        assert scenario.wrong == [] and server.alive() and server.process.pid == pid
        check_everything(model, server)
        assert server.stop() == 0
        assert fsck_is_clean(disk.data) is None
        assert integrity_complaint(disk.data) is None


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_a_disk_filled_while_the_server_was_stopped_does_not_keep_it_from_starting(kind, tmp_path):
    """A clean stop leaves no log behind whose space a start could use again: even to look at the database takes a few
    blocks, which only the reserve has."""
    model = new_model()
    with SmallDisk(kind, tmp_path, DISK_MB) as disk, Server(disk.data, tmp_path / "server.log") as server:
        server.start()
        client = Client(server.port)
        scenario = Scenario(client, model, "full/a", server)
        images = push_images(scenario, DELETES)
        location = begin_session(client)
        assert server.stop() == 0
        disk.fill()
        assert disk.free_bytes() == 0

        server.start()
        check_everything(model, server)
        client = scenario.client = Client(server.port)
        every_write_is_refused(client, location)
        delete_some(scenario, images)
        check_everything(model, server)

        pid = server.process.pid
        disk.empty()
        answers = []
        eventually(lambda: answers.append(push_and_read(client, model, "full/a", "space again")) or answers[-1] is None,
                   BACK_WITHIN_S, "pushes work again without a restart")
        go_on(client, location)
        assert server.process.pid == pid and server.stop() == 0
        assert fsck_is_clean(disk.data) is None


@pytest.mark.parametrize("options", [(), ("--repair",)], ids=["check", "repair"])
def test_a_disk_filled_while_the_server_was_stopped_can_be_checked(options, tmp_path):
    with SmallDisk("tmpfs", tmp_path, DISK_MB) as disk, Server(disk.data, tmp_path / "server.log") as server:
        server.start()
        push_images(Scenario(Client(server.port), new_model(), "full/a", server), 2)
        assert server.stop() == 0
        disk.fill()
        checked = run_berth("fsck", "--data", disk.data, *options)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("command", [("serve", "--listen", "127.0.0.1:0"), ("fsck",)], ids=["serve", "fsck"])
def test_without_the_reserve_a_full_disk_is_called_by_its_name(command, tmp_path):
    with SmallDisk("tmpfs", tmp_path, DISK_MB) as disk, Server(disk.data, tmp_path / "server.log") as server:
        server.start()
        assert server.stop() == 0
        (disk.data / "ballast").unlink()
        disk.fill()
        refused = run_berth(*command, "--data", disk.data)
        assert refused.returncode == 1 and "the disk is full: free some space" in refused.stderr, refused.stderr
