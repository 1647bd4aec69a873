"""What every client test stands on: a running registry, the static binary, a scratch directory, and a fresh name.

Nothing here skips: what cannot be had is a failure that says so in one sentence. Everything started is stopped by its
own pid, everything written lies in one temporary directory (kept when BERTH_CLIENTS_KEEP is set).
"""
import itertools
import os
import re
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from accounts import AccountsRegistry
from engines import Containerd, DockerEngine
from images import compile_hello
from processes import Daemon, remove_tree
from registry_http import Registry

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from token_server import TokenServer  # noqa: E402

LISTENING = re.compile(r"berth: listening on http://([0-9.]+:[0-9]+)")
_servers = []  # those of our own that run now
_outcomes = {"passed": 0, "failed": 0}


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: part of the short selection for CI")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    os.environ["PATH"] = f"{ROOT / 'build' / 'tools' / 'bin'}:{os.environ['PATH']}"


@pytest.fixture(scope="session")
def session_directory():
    # Short: the engines' unix sockets below it must fit in 108 bytes.
    directory = tempfile.mkdtemp(prefix="bc-", dir=os.environ.get("TMPDIR", "/tmp"))
    yield Path(directory)
    if not os.environ.get("BERTH_CLIENTS_KEEP"):
        remove_tree(directory)


@pytest.fixture(scope="session")
def registry(session_directory):
    """Berth with strict references on a free port, or the registry that BERTH_REGISTRY names."""
    if os.environ.get("BERTH_REGISTRY"):
        yield Registry(os.environ["BERTH_REGISTRY"])
        return
    server = Daemon("berth", [berth_binary(), "serve", "--listen", "127.0.0.1:0", "--data", session_directory / "berth",
                              "--reference-policy", "strict", "--anonymous", "write"],
                    session_directory / "berth.log")
    with watched(server):
        address = server.wait_until(15, "berth says where it listens", lambda: LISTENING.search(server.log()))[1]
        yield Registry(address)


def berth_binary():
    binary = Path(os.environ.get("BERTH_BIN", ROOT / "build" / "release" / "berth"))
    if not binary.is_file():
        pytest.fail(f"no server at {binary}: build it first (./dev build release) or set BERTH_BIN", pytrace=False)
    return binary


@contextmanager
def watched(server):
    """A server whose log belongs into the report of a failure, and which must live until it is told to end."""
    _servers.append(server)
    try:
        yield
        assert server.alive(), f"berth died during the tests:\n{server.log()[-3000:]}"
    finally:
        _servers.remove(server)
        code, log = server.stop(), server.log()
    assert code == 0, f"berth ended with code {code} on SIGTERM:\n{log[-3000:]}"


@pytest.fixture(scope="session")
def registries_with_accounts(session_directory):
    """`registries_with_accounts("token")`: Berth with accounts that asks for tokens; "basic": for passwords."""
    started = {}
    with ExitStack() as running:
        def get(mode):
            if mode not in started:
                started[mode] = AccountsRegistry(berth_binary(), session_directory / mode, "--auth-mode", mode)
                running.enter_context(watched(started[mode].daemon))
            return started[mode]
        yield get


@pytest.fixture(scope="session")
def token_server(session_directory):
    """Where the external registry's tokens come from."""
    folder = session_directory / "tokens"
    folder.mkdir()
    server = TokenServer(folder)
    yield server
    server.close()


@pytest.fixture(scope="session")
def external_registry(session_directory, token_server):
    """Berth that only checks tokens (auth.mode external), by the name localhost."""
    directory = session_directory / "external"
    directory.mkdir()
    daemon = Daemon("berth", [berth_binary(), "serve", "--listen", "127.0.0.1:0", "--data", directory / "data",
                              *token_server.flags()], directory / "log")
    with watched(daemon):
        address = daemon.wait_until(15, "berth says where it listens", lambda: LISTENING.search(daemon.log()))[1]
        yield Registry(address.replace("127.0.0.1", "localhost"))


@pytest.fixture(scope="session")
def engines(session_directory):
    """`engines("docker")`, "containerd", "cri": one for all tests with accounts, started when first asked for.
    None for a client that needs no daemon."""
    started = {}
    makers = {"docker": DockerEngine, "containerd": Containerd, "cri": lambda path: Containerd(path, cri=True)}

    def get(name):
        if name in makers and name not in started:
            started[name] = makers[name](session_directory / f"a{name[:2]}")
        return started.get(name)
    yield get
    for engine in started.values():
        engine.stop()


@pytest.fixture(scope="session")
def hello(session_directory):
    """Path of the static binary that prints images.GREETING."""
    return compile_hello(session_directory)


@pytest.fixture
def scratch(session_directory):
    """A directory for one test alone."""
    directory = Path(tempfile.mkdtemp(prefix="t-", dir=session_directory))
    yield directory
    if not os.environ.get("BERTH_CLIENTS_KEEP"):
        remove_tree(directory)


@pytest.fixture
def quiet_home(scratch):
    """An environment in which a client finds no settings, logins or caches of the person who runs the tests."""
    home = scratch / "home"
    home.mkdir()
    places = {"DOCKER_CONFIG": "docker", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache",
              "XDG_DATA_HOME": "data", "XDG_RUNTIME_DIR": "run"}
    return {**os.environ, "HOME": str(home), **{variable: str(home / name) for variable, name in places.items()}}


_numbers = itertools.count(1)


@pytest.fixture
def repo(request):
    """A repository name nobody used before, e.g. `clients/docker/push-all-tags-3`."""
    client = request.module.__name__.removeprefix("test_")
    test = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")[:40].strip("-")
    return f"clients/{client}/{test}-{next(_numbers)}-{os.getpid()}"


@pytest.fixture(autouse=True)
def server_log_positions():
    """Where the servers' logs stood when the test began, for the report of a failure."""
    return {server: server.log_size() for server in _servers}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        _outcomes["failed"] += 1
        for server in _servers:
            log = server.log()[item.funcargs.get("server_log_positions", {}).get(server, 0):]
            if log:
                report.sections.append((f"the log of {server.name} during this test", log[-6000:]))
    elif report.when == "call":
        # A skip is not a pass: no test of this suite may leave itself out.
        _outcomes["passed" if report.passed else "failed"] += 1


def pytest_sessionfinish(session, exitstatus):
    path = os.environ.get("BERTH_CLIENTS_COUNTS")
    if path:
        Path(path).write_text(f"{_outcomes['passed']} passed, {_outcomes['failed']} failed\n")
