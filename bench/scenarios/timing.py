"""Whether response times tell a repository that does not exist from one that exists and may not be seen.

Names of both kinds, of the same length in the same namespace, and of organisations that are there or not, are asked for in random
order over one connection: by nobody, and by a stranger with an account of his own, with Basic credentials and with a token. "First
time": nothing is known of the pair of caller and repository, as for somebody who tries names. "Again": it is. AUC is how often an invisible one takes longer than an
absent one: 0.5 means that times do not tell them apart. Medians are apart by what the interval of their difference leaves at least;
the intervals, from resampling, hold for all rows together with 95 %.
"""

import base64
import json
import os
import random
import urllib.request

from harness.content import MANIFEST, Pusher, image, sha256
from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude
from harness.servers import KINDS
from harness.stopwatch import Wire, compare, quiet, request
from scenarios.accounts import BASIC_VALUE, WithAccounts

NAME = "timing"
ORDER = 17
METRICS = ["difference_us", "low_us", "high_us", "auc", "median_us", "count"]
AGAIN = 3   # passes over names that are known
STRANGER, PASSWORD = "eve", "a stranger's own password"
AUC_OFF, APART = "auc_off", "apart_us"


class Guarded(WithAccounts):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.args += ["--limits-uploads-per-repository", "10000000", "--limits-uploads", "10000000"]


def kinds(basic: str, bearer: str, pushing: str, digest: str):
    """(what, request of a name)"""
    of_repo = {
        "GET manifest": lambda repo, who: request("GET", f"/v2/{repo}/manifests/v1", who),
        "HEAD blob": lambda repo, who: request("HEAD", f"/v2/{repo}/blobs/{digest}", who),
        "GET tags": lambda repo, who: request("GET", f"/v2/{repo}/tags/list", who),
        "POST upload": lambda repo, who: request("POST", f"/v2/{repo}/blobs/uploads/", who),
    }
    for caller, who in (("nobody", ""), ("a stranger, Basic", basic), ("a stranger, Bearer", bearer)):
        for what, make in of_repo.items():
            yield f"{what}, {caller}", lambda repo, make=make, who=who: make(repo, who)
    for caller, who in (("Basic", basic), ("Bearer", pushing)):
        yield f"mount from it, a stranger, {caller}", lambda repo, who=who: request(
            "POST", f"/v2/{STRANGER}/own/blobs/uploads/?mount={digest}&from={repo}", who)
    for caller, who in (("nobody", ""), ("a stranger, Basic", basic)):
        yield f"GET /token, {caller}", lambda repo, who=who: request("GET", f"/token?scope=repository:{repo}:pull", who)
        yield f"GET /api/v1/repos, {caller}", lambda repo, who=who: request("GET", f"/api/v1/repos/{repo}", who)
    yield "GET members, a stranger, Basic", lambda repo: request("GET", f"/api/v1/orgs/{org_of(repo)}/members", basic)


def org_of(repo):
    """An organisation that is there if the repository is, with a name of its own."""
    return "o" + repo.partition("/")[2]


def fill(server, repos):
    """The same little image in each, by the administrator, in an organisation that exists."""
    server.call("POST", "/api/v1/orgs", {"name": "acme"})
    pushed = image("any/one", "v1", 1, 64, "timing")
    pusher = Pusher(server.port)
    for repo in repos:
        server.call("POST", "/api/v1/orgs", {"name": org_of(repo)})
        for data in pushed.blobs:
            pusher.request("POST", f"/v2/{repo}/blobs/uploads/?digest={sha256(data)}", data,
                           {"Content-Type": "application/octet-stream", "Authorization": BASIC_VALUE}, want=(201,))
        pusher.request("PUT", f"/v2/{repo}/manifests/v1", pushed.manifest,
                       {"Content-Type": MANIFEST, "Authorization": BASIC_VALUE}, want=(201,))
    pusher.close()
    return sha256(pushed.blobs[1])


def token_of(server, credentials, scope):
    asked = urllib.request.Request(f"http://127.0.0.1:{server.port}/token?scope={scope}")
    asked.add_header("Authorization", credentials)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return "Bearer " + json.load(answer)["token"]


def run(options):
    cores = Cores(options.cores or "split")
    chance = random.Random(7)
    count = 60 if options.quick else 600
    names = [f"acme/{chance.randbytes(6).hex()}" for _ in range(2 * count)]
    hidden, absent = names[:count], names[count:]
    basic = "Basic " + base64.b64encode(f"{STRANGER}:{PASSWORD}".encode()).decode()
    before, KINDS["berth"] = KINDS["berth"], Guarded
    found = {}
    affinity = os.sched_getaffinity(0)
    try:
        with Fleet(cores, options.servers(("berth",)), options.berth_binaries) as fleet:
            server = fleet.servers["berth"]
            server.set_up([])
            digest = fill(server, hidden)
            server.call("POST", "/api/v1/users", {"name": STRANGER, "password": PASSWORD})
            bearer = token_of(server, basic, f"repository:{hidden[0]}:pull")
            pushing = token_of(server, basic, f"repository:{STRANGER}/own:pull,push")
            os.sched_setaffinity(0, cores.load)
            for round_ in range(options.rounds):
                for what, make in kinds(basic, bearer, pushing, digest):
                    # Any change of accounts ends what was known of rights.
                    server.call("PATCH", f"/api/v1/users/{STRANGER}", {"display_name": f"{round_} {what}"})
                    wire = Wire(server.port)
                    asked = [(make(repo), at < count) for at, repo in enumerate(names)]
                    statuses = set()
                    for text in (make("acme/nothing"), make("acme/nothing2")):   # who asks is known, the code is warm
                        wire.ask(text)
                    with quiet():
                        for pass_ in range(1 + AGAIN):
                            chance.shuffle(asked)
                            times = found.setdefault((what, "first time" if pass_ == 0 else "again"), ([], []))
                            for text, is_hidden in asked:
                                took, status = wire.ask(text)
                                times[is_hidden].append(took)
                                statuses.add(status)
                    wire.close()
                    if len(statuses) != 1:
                        raise SystemExit(f"bench: {what}: absent and invisible are told apart by their status: {statuses}")
            versions = fleet.versions()
    finally:
        KINDS["berth"] = before
        os.sched_setaffinity(0, affinity)
    points, worst = [], {}
    for (what, when), (of_absent, of_hidden) in found.items():
        figures = compare(of_absent, of_hidden, len(found))
        point = Point(f"{what}, {when}")
        point.add("berth", figures)
        points.append(point)
        of_when = worst.setdefault(when, {AUC_OFF: 0.0, APART: 0.0})
        of_when[AUC_OFF] = max(of_when[AUC_OFF], abs(figures["auc"] - 0.5))
        of_when[APART] = max(of_when[APART], figures["low_us"], -figures["high_us"])
    targets = []
    for when, figures in worst.items():
        point = Point(f"the worst of these, {when}")
        point.add("berth", figures)
        points.append(point)
        targets += [Target(point.name, AUC_OFF, "", "<=", 0.05), Target(point.name, APART, "", "<=", 1.0)]
    conclude(NAME, options, cores, points, [*METRICS, AUC_OFF, APART], targets, versions=versions)
