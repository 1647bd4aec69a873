"""api/openapi.yaml as something to hold answers against."""

import copy
import pathlib
import re

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPO = "(?:(?!/-/).)+"  # up to what is asked of it
METHODS = ("get", "post", "put", "patch", "delete")


def load():
    return yaml.safe_load((ROOT / "api/openapi.yaml").read_text(encoding="utf-8"))


def inlined(node, root):
    """Without references: none of ours goes round in a circle."""
    if isinstance(node, list):
        return [inlined(item, root) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = root
        for word in node["$ref"].removeprefix("#/").split("/"):
            target = target[word]
        return inlined(target, root) | {key: value for key, value in node.items() if key != "$ref"}
    return {key: inlined(value, root) for key, value in node.items()}


def closed(schema):
    """The same schema, to which a field that it does not name is an error: answers must not outgrow the document."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


def loosened(schema):
    """The same schema, which requires nothing: of an answer that was asked for with `fields`."""
    if isinstance(schema, list):
        return [loosened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: loosened(value) for key, value in schema.items() if key != "required" or not isinstance(value, list)}


def validate(instance, schema):
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(instance)


class Operation:
    def __init__(self, template, method, item, operation):
        self.template = template
        self.method = method
        self.name = operation["operationId"]
        self.responses = operation["responses"]
        self.body = operation.get("requestBody")
        self.parameters = item.get("parameters", []) + operation.get("parameters", [])
        self.security = operation.get("security")
        captures = re.sub(r"\\{(\w+)\\}", lambda m: REPO if m[1] == "repo" else "[^/]+", re.escape(template))
        self.pattern = re.compile(captures)

    def check(self, response):
        """An answer, of the requests library, is one that the document tells of."""
        where = f"{response.request.method} {response.request.url} -> {response.status_code} {response.text[:500]}"
        documented = self.responses.get(str(response.status_code))
        assert documented, f"{self.name} does not tell of this status: {where}"
        for name in documented.get("headers", {}):
            is_elsewhere = name == "Link" or (name == "ETag" and "dry_run=true" in response.request.url)
            is_missing = name not in response.headers and not is_elsewhere
            assert not is_missing, f"{self.name} lacks {name}: {where}"
        content = documented.get("content")
        if content is None or response.request.method == "HEAD":
            assert response.content == b"", where
            return
        media_type = response.headers["Content-Type"]
        assert media_type in content, f"{self.name} does not tell of {media_type}: {where}"
        if media_type.endswith("json") and not media_type.endswith("ndjson"):
            schema = closed(content[media_type]["schema"])
            validate(response.json(), loosened(schema) if "fields=" in response.request.url else schema)
        if media_type == "application/problem+json":
            assert response.json()["status"] == response.status_code, where


class Contract:
    def __init__(self):
        root = load()
        self.document = inlined(root, root)
        self.operations = [
            Operation(template, method, item, item[method])
            for template, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        ]

    def find(self, method, path):
        """Of a path behind /api/v1; None if there is no such operation."""
        method = "get" if method == "HEAD" else method.lower()
        for operation in self.operations:
            if operation.method == method and operation.pattern.fullmatch(path):
                return operation
        return None

    def examples(self):
        """(where, example, schema) of every example."""
        found = []

        def visit(where, node):
            if isinstance(node, list):
                for index, item in enumerate(node):
                    visit(f"{where}/{index}", item)
            elif isinstance(node, dict):
                if "schema" in node and "example" in node:
                    found.append((where, node["example"], node["schema"]))
                if isinstance(node.get("examples"), list):
                    found.extend((where, example, node) for example in node["examples"])
                for key, value in node.items():
                    visit(f"{where}/{key}", value)

        visit("", copy.deepcopy(self.document))
        return found


