"""api_table.py [--check]   Writes the table of operations in docs/api.md from api/openapi.yaml; --check only compares."""

import difflib
import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/api.md"
BEGIN = "<!-- operations: from api/openapi.yaml by ./dev docs -->\n"
END = "<!-- end of operations -->\n"
METHODS = ("get", "post", "put", "patch", "delete")


def table():
    document = yaml.safe_load((ROOT / "api/openapi.yaml").read_text(encoding="utf-8"))
    rows = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                row = f"| {method.upper()} | `{path}` | {operation['operationId']} | {operation['summary']} |\n"
                rows[operation["tags"][0]].append(row)
    out = "| | under `/api/v1` | operation | what it does |\n|---|---|---|---|\n"
    return out + "".join(row for tag in document["tags"] for row in rows[tag["name"]])


def main(arguments):
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    wanted = before + BEGIN + table() + END + after
    if arguments != ["--check"]:
        PAGE.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        sys.stdout.writelines(difflib.unified_diff(text.splitlines(True), wanted.splitlines(True), "docs/api.md", "wanted"))
        sys.exit("docs: docs/api.md is out of date: run ./dev docs")


main(sys.argv[1:])
