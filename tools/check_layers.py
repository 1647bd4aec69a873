"""Includes go strictly down the layers of src/LAYERS, are written "room/file.h", and a foreign library's header appears
only in the room that owns it. The rooms' links in CMakeLists.txt are held to the same layers."""

import re

from cpp_source import ROOT, Finding, load

# Header pattern → rooms that may include it; the first match counts. Tests may include what they like.
FOREIGN = [
    (r"(spdlog|fmt)/", "base"),
    (r"nlohmann/", "base"),
    (r"openssl/", "crypto"),
    (r"boost/(asio|system)\b", "io http"),
    (r"boost/(beast|url|core)\b|nghttp2/", "http"),
    (r"boost/", ""),
    (r"curl/", "http"),
    (r"sqlite3\.h|libpq-fe\.h|postgresql/", "sql"),
    (r"sodium\.h", "auth client"),
    (r"(crypt|ldap|lber)\.h", "auth"),
    (r"(archive|archive_entry|zstd|zlib)\.h", "image"),
    (r"CLI/", "cli"),
    (r"toml\+\+/", "app"),
    (r"(gtest|gmock|benchmark)/", ""),
    (r"(fcntl|sys/file)\.h", "io app client"),  # app: the lock of the data folder
    (r"sys/stat\.h", "io app"),  # app: umask
    (r"(dirent|sys/(statvfs|eventfd|inotify))\.h", "io"),
    (r"arpa/inet\.h", "io http app"),  # app: checks the address to listen on
    (r"sys/(socket|un)\.h", "io http app"),  # app: the sockets of the service manager
    (r"(sys/(socket|sendfile|epoll|uio)|netinet/\w+|arpa/\w+|netdb)\.h", "io http"),
]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]*)"|<([^>]*)>)', re.M)


def read_layers(text):
    rows = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {room: int(number) for room, number in rows}


def may_use(layers, room, other):
    return room == other or layers[other] < layers[room]


def check_own_include(source, layers, path, names):
    """The reason why this file may not include "path", or None."""
    room, _, rest = path.partition("/")
    if source.is_test and (room not in layers or not source.room):
        return None  # tests, fuzz and bench use every room and their own support/…
    if not rest or room not in layers:
        return f'"{path}": write includes from src/, as "room/file.h"'
    if names and f"src/{path}" not in names:
        return f'"{path}" does not exist'
    if not may_use(layers, source.room, room):
        return f'{source.room} (layer {layers[source.room]}) may not include {room} (layer {layers[room]})'
    return None


def check_foreign_include(source, path):
    for pattern, rooms in FOREIGN:
        if re.match(pattern, path):
            allowed = rooms.split()
            if source.is_test or source.room in allowed:
                return None
            return f"<{path}> belongs to {' and '.join(allowed) or 'no room'}"
    return None


def check_sources(sources, layers):
    names = {source.path for source in sources}
    for source in sources:
        if source.path.startswith("src/") and source.room not in layers:
            yield Finding(source.path, 1, f"the folder is not in src/LAYERS")
            continue
        for match in INCLUDE.finditer(source.code_and_strings):
            own, foreign = match.groups()
            reason = check_own_include(source, layers, own, names) if own else check_foreign_include(source, foreign)
            if reason:
                yield Finding(source.path, source.line_of(match.start()), reason)


def check_links(cmake, layers):
    for match in re.finditer(r"^berth_room\((\w+)(?: PURE)?\s+DEPS ([\w ]+)", cmake, re.M):
        room, deps = match.group(1), re.sub(r"\bLIBS\b.*", "", match.group(2)).split()
        for dep in deps:
            if dep not in layers or room not in layers or layers[dep] >= layers[room]:
                line = cmake.count("\n", 0, match.start()) + 1
                yield Finding("CMakeLists.txt", line, f"{room} may not link {dep}")


def check(sources=None):
    layers = read_layers((ROOT / "src/LAYERS").read_text())
    yield from check_sources(sources if sources is not None else load(), layers)
    yield from check_links((ROOT / "CMakeLists.txt").read_text(), layers)
