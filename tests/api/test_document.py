"""api/openapi.yaml by itself, and as it is served."""

import openapi_spec_validator
import yaml
from contract import ROOT, load, validate


def test_is_valid():
    openapi_spec_validator.validate(load())


def test_examples_are_valid(contract):
    examples = contract.examples()
    assert len(examples) > 30
    for where, example, schema in examples:
        try:
            validate(example, schema)
        except Exception as error:
            raise AssertionError(f"{where}: {error}") from error


def test_requests_are_closed(contract):
    """A field nobody knows is an error, and the document says so."""
    for operation in contract.operations:
        for media_type, content in (operation.body or {}).get("content", {}).items():
            schema = content["schema"]
            if media_type == "text/markdown":
                continue
            assert schema["additionalProperties"] is False, (operation.name, media_type)


def test_every_component_is_used():
    text = (ROOT / "api/openapi.yaml").read_text(encoding="utf-8")
    for kind, components in yaml.safe_load(text)["components"].items():
        for name in components:
            assert kind == "securitySchemes" or f"#/components/{kind}/{name}'" in text, f"{kind}/{name}"


def test_is_served_to_anybody(world):
    response = world.anonymous.get("/openapi.json")
    assert response.json() == load()
    assert "no-cache" in response.headers["Cache-Control"]
    tag = response.headers["ETag"]
    assert world.anonymous.get("/openapi.json", status=304, headers={"If-None-Match": tag}).headers["ETag"] == tag
    assert world.anonymous.get("/openapi.json", headers={"If-None-Match": '"another"'}).content == response.content
