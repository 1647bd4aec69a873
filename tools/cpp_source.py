"""What the lint checks share: the repository's C++ files, their text without comments or strings, and their functions."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST_SUFFIXES = ("_test.cpp", "_test.h", "_suite.h", "_bench.cpp")

# A comment, a raw string, a string, or a character (not the ' of 1'000'000).
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text):
    """The same number of lines and columns, nothing to read."""
    return re.sub(r"[^\n]", " ", text)


@dataclass
class Finding:
    path: str
    line: int
    message: str
    is_error: bool = True


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def line_count(self):
        return self.last_line - self.first_line + 1


@dataclass
class Source:
    path: str  # from the repository's root, with /
    text: str

    @property
    def room(self):
        """The room of src/ that the file is in, else ''."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else ""

    @property
    def is_test(self):
        name = self.path.rsplit("/", 1)[-1]
        return not self.path.startswith("src/") or name.endswith(TEST_SUFFIXES) or name.startswith("test_")

    @property
    def is_header(self):
        return self.path.endswith(".h")

    @cached_property
    def lines(self):
        return self.text.split("\n")

    @cached_property
    def code(self):
        """The text with comments and the contents of strings blanked."""
        def replace(match):
            token = match.group()
            return blank(token) if token[0] == "/" else token[0] + blank(token[1:-1]) + token[-1]
        return TOKEN.sub(replace, self.text)

    @cached_property
    def code_and_strings(self):
        """The text with comments blanked."""
        return TOKEN.sub(lambda m: blank(m.group()) if m.group()[0] == "/" else m.group(), self.text)

    @cached_property
    def comments(self):
        """The comments, at their places; all else blanked."""
        out, end = [], 0
        for match in TOKEN.finditer(self.text):
            out.append(blank(self.text[end:match.start()]))
            out.append(match.group() if match.group()[0] == "/" else blank(match.group()))
            end = match.end()
        return "".join(out) + blank(self.text[end:])

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def says(self, line, mark):
        """Whether a comment on this line or on the comment lines right above it contains `mark`."""
        comments = self.comments.split("\n")
        if mark in comments[line - 1]:
            return True
        above = line - 2
        while above >= 0 and self.lines[above].strip().startswith("//"):
            if mark in comments[above]:
                return True
            above -= 1
        return False

    @cached_property
    def functions(self):
        return list(find_functions(self))


def load(folders=("src", "tests", "fuzz", "bench"), root=ROOT):
    """Every C++ file below the folders, in order of path; golden files are data, not code."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in (".h", ".cpp") and "/golden/" not in name and path.is_file():
                found.append(Source(name, path.read_text(encoding="utf-8")))
    return found


def find_functions(source):
    """Function bodies at namespace or class level, by brace matching. `head` is the text since the last statement."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: blank(m.group()), source.code, flags=re.M)
    stack = []  # kind of each open brace: scope, init, function, block
    head_start, parens, function_start = 0, 0, 0
    for match in re.finditer(r"[{}();]", code):
        char, at = match.group(), match.start()
        inside_body = "function" in stack
        if inside_body and char not in "{}":
            continue
        if char == "(":
            parens += 1
        elif char == ")":
            parens -= 1
        elif char == ";" and parens == 0:
            head_start = at + 1
        elif char == "{":
            kind = "block" if inside_body else brace_kind(code[head_start:at], parens)
            if kind == "function":
                function_start = head_start
            stack.append(kind)
            if kind == "scope":
                head_start = at + 1
        elif char == "}" and stack:
            kind = stack.pop()
            if kind == "function":
                head = code[function_start:at]
                name = re.search(r"([~\w:]+|operator[^(]*)\s*\(", head)
                first = source.line_of(function_start + len(head) - len(head.lstrip()))
                yield Function(name.group(1) if name else "?", first, source.line_of(at))
            if kind in ("function", "scope") and "function" not in stack:
                head_start = at + 1


def brace_kind(head, parens):
    """What a `{` after `head` opens: a scope, a function, or an initialiser that the statement continues after."""
    head = re.sub(r"\b(public|private|protected)\s*:", " ", head).strip()
    if parens > 0 or head.endswith(("=", ",", "return")):
        return "init"
    without_templates = re.sub(r"^(export\s+)?template\s*<[^{]*?>\s*(?=\w)", "", head)
    if re.match(r"(inline\s+)?namespace\b|extern\s*$", head) or (
            re.match(r"(\w+\s+)*(class|struct|union|enum)\b", without_templates) and "(" not in without_templates):
        return "scope"
    if "(" not in head:
        return "init"
    # `Name() : member_{1}, other_{2} {`: a brace right after a member's name belongs to the initialiser list.
    if re.search(r"\)\s*(noexcept\s*)?:[^:]", head) and re.search(r"[\w>]$", head) and not re.search(r"\bnoexcept$|\boverride$|\bconst$", head):
        return "init"
    return "function"
