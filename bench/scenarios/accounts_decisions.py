"""What one decision about who may do what costs when nothing of it is at hand, among 10 users with 10 grants and among
10,000 with 100,000.

Two servers side by side. A member of an organisation, with grants of his own and of two teams, asks 2,000 repositories for a blob
that none has, 50 requests sent at once, and then each again; the others are of the same organisation and its teams. What
the first time costs more than the second is the decision: the rights are remembered, and nothing else of such an answer is.
Once all repositories are of that organisation, where what he is and was given is read once; and once each is of another, so
that everything is read each time. What else a shared machine does adds to such times, often doubles them for seconds, and takes
nothing away; so a round asks for everything several times, and its figures are those of the fastest 50 requests.
"""

import base64
import os
import random
import sqlite3

from harness.fleet import Cores, Fleet
from harness.points import Point, Target, conclude
from harness.servers import KINDS
from harness.stopwatch import Wire, quiet, request
from scenarios.accounts import WithAccounts

NAME = "accounts_decisions"
ORDER = 16.5
METRICS = ["decision_us", "first_us", "again_us", "count"]
POINT = "a decision that is not at hand"
FIRST = "the first decision in a namespace"
MEMBER, PASSWORD = "eve", "the member's own password"
ABSENT = "sha256:" + 64 * "0"
BUNCH = 50   # requests sent at once
PASSES = 8   # in a round
SIZES = {"few": (10, 1), "berth": (10_000, 10)}   # others, and the grants of each


class Restarted(WithAccounts):
    def ready_url(self):
        return f"http://127.0.0.1:{self.port}/healthz"   # /v2/ wants an account


def people(server):
    """The one who asks, by the front door."""
    server.set_up([])
    server.call("POST", "/api/v1/users", {"name": MEMBER, "password": PASSWORD})
    server.call("POST", "/api/v1/orgs", {"name": "acme"})
    server.call("PUT", f"/api/v1/orgs/acme/members/{MEMBER}", {"role": "reader"})
    for team in ("devs", "ops"):
        server.call("POST", "/api/v1/orgs/acme/teams", {"name": team})
        server.call("PUT", f"/api/v1/orgs/acme/teams/{team}/members/{MEMBER}", {})
        server.call("PUT", "/api/v1/namespaces/acme/grants", {"subject": f"acme/{team}", "repo": "acme/**", "allow": ["read"]})
    for pattern in ("acme/web-*", "acme/web"):
        server.call("PUT", "/api/v1/namespaces/acme/grants", {"subject": MEMBER, "repo": pattern, "allow": ["read", "write"]})


def crowd(server, others: int, grants: int, repos, firsts):
    """The others, the repositories, and the organisations of `firsts`, as rows."""
    server.stop()
    with sqlite3.connect(server.folder / "data" / "meta.db") as db:
        acme = db.execute("SELECT id FROM ns WHERE name = 'acme'").fetchone()[0]
        teams = [row[0] for row in db.execute("SELECT id FROM principal WHERE kind = 3")]
        ids = range(100_000, 100_000 + others)
        db.executemany("INSERT INTO principal(id, kind, name, created_at) VALUES (?, 1, ?, 0)", ((i, f"user{i}") for i in ids))
        db.executemany("INSERT INTO org_member(ns_id, principal_id, role) VALUES (?, ?, 1)", ((acme, i) for i in ids))
        db.executemany("INSERT INTO team_member(team_id, principal_id) VALUES (?, ?)", ((team, i) for i in ids for team in teams))
        db.executemany("INSERT INTO grant_(principal_id, ns_id, pattern, allow, deny, created_at) VALUES (?, ?, ?, 1, 0, 0)",
                       ((i, acme, f"acme/r{k}") for i in ids for k in range(grants)))
        db.executemany("INSERT INTO repo(ns_id, name, visibility, created_at) VALUES (?, ?, 0, 0)", ((acme, repo) for repo in repos))
        eve = db.execute("SELECT id FROM principal WHERE name = ?", (MEMBER,)).fetchone()[0]
        for name in firsts:
            org = name.split("/")[0]
            ns = db.execute("INSERT INTO ns(name, kind) VALUES (?, 2)", (org,)).lastrowid
            db.execute("INSERT INTO org_member(ns_id, principal_id, role) VALUES (?, ?, 1)", (ns, eve))
            db.executemany("INSERT INTO grant_(principal_id, ns_id, pattern, allow, deny, created_at) VALUES (?, ?, ?, 1, 0, 0)",
                           ((subject, ns, f"{org}/**") for subject in (eve, *teams)))
            db.execute("INSERT INTO repo(ns_id, name, visibility, created_at) VALUES (?, ?, 0, 0)", (ns, name))
        db.execute("ANALYZE")
    db.close()
    server.start()


def measure(servers, heads, chance) -> dict:
    """By server: times of the first asking and of the second, by bunches, interleaved."""
    wires = {name: Wire(server.port) for name, server in servers.items()}
    times = {name: ([], []) for name in servers}
    for server in servers.values():
        server.call("PATCH", f"/api/v1/users/{MEMBER}", {"display_name": chance.randbytes(4).hex()})   # forgets all rights
    for wire in wires.values():   # who asks is known again
        wire.ask_all(heads[:1], 404)
    with quiet():
        for which in (0, 1):
            for at in range(1, len(heads), BUNCH):
                for name, wire in wires.items():
                    times[name][which].append(wire.ask_all(heads[at:at + BUNCH], 404))
    for wire in wires.values():
        wire.close()
    return times


def run(options):
    cores = Cores(options.cores or "split")
    chance = random.Random(7)
    repos = [f"acme/web-{chance.randbytes(6).hex()}" for _ in range(1 + BUNCH * (4 if options.quick else 40))]
    firsts = [f"org-{chance.randbytes(6).hex()}/web" for _ in repos]
    who = "Basic " + base64.b64encode(f"{MEMBER}:{PASSWORD}".encode()).decode()
    asked = [(Point(name), [request("HEAD", f"/v2/{repo}/blobs/{ABSENT}", who) for repo in names])
             for name, names in ((POINT, repos), (FIRST, firsts))]
    kinds, affinity = dict(KINDS), os.sched_getaffinity(0)
    KINDS["berth"] = KINDS["few"] = Restarted
    try:
        with Fleet(cores, ("few", "berth"), options.berth_binaries) as fleet:
            for name, server in fleet.servers.items():
                people(server)
                crowd(server, *SIZES[name], repos, firsts)
            os.sched_setaffinity(0, cores.load)
            for round_ in range(options.rounds + 1):   # the first warms up
                passes = [[measure(fleet.servers, heads, chance) for _, heads in asked] for _ in range(PASSES if round_ > 0 else 1)]
                for at, (point, _) in enumerate(asked):
                    for name in fleet.servers:
                        first, again = ([us for one in passes for us in one[at][name][which]] for which in (0, 1))
                        figures = {"first_us": min(first), "again_us": min(again), "count": BUNCH * len(first)}
                        if round_ > 0:
                            point.add(name, {"decision_us": figures["first_us"] - figures["again_us"], **figures})
            versions = fleet.versions()
    finally:
        KINDS.clear()
        KINDS.update(kinds)
        os.sched_setaffinity(0, affinity)
    targets = [Target(point.name, "decision_us", peer, "<=", bound) for point, _ in asked for peer, bound in (("", 20), ("few", 1.25))]
    conclude(NAME, options, cores, [point for point, _ in asked], METRICS, targets, ("few",), versions=versions)
