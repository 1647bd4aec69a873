"""Calls and constructs that are banned, each with the places where it is allowed (a room, or a file's path).
One line may be excused by a comment on it or right above it:   // allowed(<ban>): <reason>"""

import re
from dataclasses import dataclass

from cpp_source import Finding, load


@dataclass(frozen=True)
class Ban:
    name: str
    pattern: str
    reason: str
    allowed: str = ""  # rooms and paths below src/, separated by spaces
    look_at: str = "code"  # code | code_and_strings | comments
    tests_too: bool = False

    def allows(self, source):
        places = self.allowed.split()
        return source.room in places or any(source.path == f"src/{place}" for place in places)


START = r"(?:\bstd::|(?<![\w)>:])::|^[ \t]*)"  # of a call to a C function: qualified, or a statement of its own
BANS = [
    Ban("regex", r"\bstd::(?:w?regex|basic_regex)\b|#\s*include\s*<regex>", "slow to compile, recursion on hostile input"),
    Ban("thread", r"\bstd::(?:jthread|async|thread\b(?!::hardware_concurrency))", "threads belong to io's pools", "io"),
    Ban("detached", r"\bdetached\b", "background work belongs to an io::Scope", "io", tests_too=True),
    Ban("sleep", r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b", "wait on a clock or an event instead", "io",
        tests_too=True),
    Ban("clock", r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\b(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0)\s*\)"
        r"|\b(?:clock_gettime|gettimeofday)\b", "time comes from base::Clock", "base"),
    Ban("random", r"\brandom_device\b|\bstd::(?:mt19937\w*|rand)\b|\b(?:getrandom|getentropy|RAND_bytes)\b",
        "chance comes from base::Random", "base"),
    Ban("getenv", r"\b(?:secure_)?getenv\b", "the environment is read by app only", "app"),
    Ban("print", r"\b(?:v?f?printf|puts|fputs|putchar)\s*\(|\bstd::(?:cout|cerr|clog|print(?:ln)?)\b",
        "only the command line prints; the server logs", "cli base/assert.cpp"),
    Ban("exit", START + r"(?:exit|abort|_Exit|_exit|quick_exit|terminate)\s*\(", "only a broken invariant ends the process", "base"),
    # A factory may hand `new` of a private constructor straight to a unique_ptr.
    Ban("new", r"^(?!.*\bunique_ptr<[\w:]+>\s*\w*\(new\b).*\bnew\b(?!\s*>)|\bdelete\b(?<!= delete)(?<!=delete)",
        "make_unique, containers, values"),
    Ban("catch-all", r"\bcatch\s*\(\s*\.\.\.\s*\)", "exceptions are caught by type where the library throws them",
        "io http/connection.cpp"),
    Ban("status", r"(?<![\w.'])(?:20[1246]|30[12478]|40[134589]|41[2-7]|42[269]|431|50[1-5])(?![\w.'])"
        r"|\bstatus\w*\s*(?:==|!=|=|\{|\()\s*[1-5]\d\d\b", "status numbers belong to api and the wire", "api http client"),
    Ban("sql", r'"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE (?:TABLE|INDEX|UNIQUE)|PRAGMA|BEGIN|ROLLBACK|SAVEPOINT)\b',
        "statements belong to meta and sql", "meta sql", "code_and_strings"),
    Ban("office", r"\b(?:subject(?:\(\))?|self|maker|caller)\s*(?:\.|->)\s*is_admin\b|\bfind_role\s*\(|\bRole::(?:admin|owner)\b"
        r"|\bCause::Kind::(?:administrator|own_namespace|role)\b|\.cause\.kind\b",
        "auth/decision.h alone decides who may do what: ask decide() or ruling()", "auth meta"),
    Ban("using-namespace", r"^using\s+namespace\b(?![^;]*literals)", "name what you use"),
    Ban("vague-name", r"\b(?:class|struct)\s+\w*(?:Manager|Helper|Util|Utils)\b", "say what it does"),
    Ban("marker", r"\b(?:TODO|FIXME|XXX|HACK)\b", "finish it, or file an issue", "", "comments", True),
]
ALLOWED = re.compile(r"allowed\(([\w-]+)\): \S")


def excused(source, line, ban):
    above = source.lines[line - 2] if line > 1 else ""
    texts = [source.lines[line - 1]] + ([above] if above.strip().startswith("//") else [])
    return any(match.group(1) == ban.name for text in texts for match in ALLOWED.finditer(text))


def check_ban(source, ban):
    if ban.allows(source) or (source.is_test and not ban.tests_too):
        return
    for match in re.finditer(ban.pattern, getattr(source, ban.look_at), re.M):
        line = source.line_of(match.start() + len(match.group()) - len(match.group().lstrip()))
        if not excused(source, line, ban):
            yield Finding(source.path, line, f"{match.group().strip()}: {ban.reason} (ban '{ban.name}')")


def check_mutexes(source):
    """A mutex member or variable says what it protects, and so what it must never be held over."""
    for match in re.finditer(r"\bstd::(?:\w+_)?mutex\s+\w+\s*[;{]", source.code):
        line = source.line_of(match.start())
        if not source.says(line, "guards:"):
            yield Finding(source.path, line, "a mutex needs a comment `// guards: …`")


def check_file(source):
    if source.is_header and not re.search(r"^#pragma once$", source.text, re.M):
        yield Finding(source.path, 1, "a header starts with #pragma once")
    name = source.path.rsplit("/", 1)[-1]
    vague = re.search(r"(^|_)(utils?|helpers?|manager|common)\.", name)
    if source.room and (vague or not re.fullmatch(r"[a-z0-9_]+\.(h|cpp)", name)):
        yield Finding(source.path, 1, "file names are snake_case and say what is inside")


def check(sources=None):
    for source in sources if sources is not None else load():
        yield from check_file(source)
        if not source.is_test:
            yield from check_mutexes(source)
        for ban in BANS:
            yield from check_ban(source, ban)
