"""Parameters of functions that return Task<…>: a coroutine's frame keeps a copy of a value, but only the address behind
a reference or a view, which is often gone when the coroutine resumes. Allowed are values, non-const references and
pointers to the types of tools/coroutine_types.txt, and byte buffers (std::span<std::byte>, std::span<const std::byte>),
which by contract live in the awaiting frame until the read or write is done. A function that is no coroutine but
forwards, or has a good reason, says so on its line or above it:   // borrows: <reason>"""

import re

from cpp_source import ROOT, Finding, load

TASK = re.compile(r"(?<![\w])(?:berth::)?(?:io::)?Task\s*<")
BUFFERS = {"std::span<std::byte>", "std::span<const std::byte>"}
PAIRS = {"<": ">", "(": ")", "{": "}", "[": "]"}


def matching(text, start):
    """Offset of the bracket that closes the one at `start`, or -1. `->` closes nothing."""
    closers = [PAIRS[text[start]]]
    for at in range(start + 1, len(text)):
        char = text[at]
        if char == ">" and text[at - 1] == "-":
            continue
        if char in PAIRS and (char != "<" or closers[-1] in ">)"):
            closers.append(PAIRS[char])
        elif char == closers[-1]:
            closers.pop()
            if not closers:
                return at
        elif char in ";":
            if closers[-1] != "}":
                return -1
    return -1


def matching_back(text, end):
    """Offset of the `(` that the `)` at `end` closes, or -1."""
    depth = 0
    for at in range(end, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def split_parameters(text):
    """Parameters of a list, cut at commas outside any bracket."""
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        if char in "<({[":
            depth += 1
        elif char in ")}]" or (char == ">" and text[at - 1] != "-"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [part for part in parts + [text[begin:]] if part.strip()]


def parameter_lists(code):
    """(offset, text) of the parameter list of each function or lambda that returns a Task."""
    for task in TASK.finditer(code):
        close = matching(code, task.end() - 1)
        if close == -1:
            continue
        before = code[:task.start()].rstrip()
        if before.endswith("->"):  # a lambda's or a trailing return type
            head = re.sub(r"(\b(?:mutable|const|noexcept|static)\b|\s)*$", "", before[:-2])
            begin = matching_back(head, len(head) - 1) if head.endswith(")") else -1
            if begin != -1:
                yield begin, head[begin + 1:-1]
            continue
        name = re.match(r"\s*(?:[\w:~]|<[^<>()]*>)*\s*\(", code[close + 1:])
        if name:
            begin = close + name.end()
            end = matching(code, begin)
            if end != -1:
                yield begin, code[begin + 1:end]


def parameter_fault(parameter, listed):
    """Why this parameter may dangle, or None."""
    text = " ".join(re.sub(r"\[\[.*?\]\]", "", parameter.split("=")[0]).split())
    if re.search(r"\bstring_view\b", text):
        return "string_view: take std::string"
    for span in re.finditer(r"\b(?:std::)?span\s*<", text):
        close = matching(text, span.end() - 1)
        if text[span.start():close + 1] not in BUFFERS:
            return "span: take a container by value"
    if re.search(r"\b(?:std::)?(initializer_list|reference_wrapper|function_ref)\b", text):
        return "a view: take a value"
    if "(" in text:
        return None  # a function or callable type: its own parameters are another matter
    outer = re.sub(r"<.*>", "", text)
    if "&&" in outer:
        return "rvalue reference: take a value and move into it"
    if "&" in outer or "*" in outer:
        type_name = re.split(r"[&*]", outer)[0].replace("const", "").replace("struct", "").strip().split("::")[-1]
        if "const" in outer.split("&")[0].split() and "&" in outer:
            return "const reference: take a value"
        if type_name not in listed:
            return f"reference to {type_name}, which tools/coroutine_types.txt does not list"
    return None


def read_listed(text):
    return {line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#")}


def check(sources=None, listed=None):
    listed = listed or read_listed((ROOT / "tools/coroutine_types.txt").read_text())
    for source in sources if sources is not None else load():
        for offset, parameters in parameter_lists(source.code):
            line = source.line_of(offset)
            for parameter in split_parameters(parameters):
                fault = parameter_fault(parameter, listed)
                if fault and not source.says(line, "borrows:"):
                    yield Finding(source.path, line, f"coroutine parameter `{' '.join(parameter.split())}`: {fault} (or say why it is safe: `// borrows: …`)")
