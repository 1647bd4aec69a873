"""docs/monitoring.md and the dashboard speak of the series a running server has, and the page describes all of them."""

import http.client
import json
import re

import pytest
import yaml

from conftest import ROOT, SECONDS

PAGE = (ROOT / "docs/monitoring.md").read_text()
RULES = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(groups:.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)]
DASHBOARD = json.loads((ROOT / "packaging/grafana/berth.json").read_text())
SERIES = re.compile(r"\b(?:berth|process)_[a-z_]+\b")
LABEL_VALUE = re.compile(r'([a-z_]+)\s*(?:=~|!=|=)\s*"([^"]*)"')
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")


@pytest.fixture
def families(serve):
    """{name: (type, {label: values})} of a server that has answered some requests."""
    server = serve()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    for path in ("/v2/", "/v2/team/app/tags/list", "/metrics"):
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert types
    labels = {name: {} for name in types}
    for name, inside in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        for label, value in re.findall(r'(\w+)="([^"]*)"', inside):
            labels[family_of(name, types)].setdefault(label, set()).add(value)
    return {name: (kind, labels[name]) for name, kind in types.items()}


def family_of(name, types):
    for part in HISTOGRAM_PARTS:
        if name.endswith(part) and types.get(name.removesuffix(part)) == "histogram":
            return name.removesuffix(part)
    return name


def expressions():
    """(where, PromQL) of each alert rule and of each panel and variable of the dashboard."""
    rules = [rule for group in RULES[0]["groups"] for rule in group["rules"]]
    found = [(rule["alert"], rule["expr"]) for rule in rules]
    found += [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return found + [(variable["name"], variable["definition"]) for variable in DASHBOARD["templating"]["list"]
                    if variable["type"] == "query"]


def test_alerts_and_dashboard_ask_for_series_that_exist(families):
    types = {name: kind for name, (kind, _) in families.items()}
    assert len(RULES) == 1 and len(expressions()) > 50
    for where, expression in expressions():
        for name in SERIES.findall(expression):
            family = family_of(name, types)
            assert family in types, f"{where}: no series {name}"
            assert types[family] != "histogram" or name != family, f"{where}: {name} is a histogram, ask for its buckets"


def test_alerts_and_dashboard_ask_for_labels_that_exist(families):
    types = {name: kind for name, (kind, _) in families.items()}
    given_by_prometheus = {"job", "instance"}
    for where, expression in expressions():
        for name, selector in re.findall(r"((?:berth|process)_\w+)\{([^}]*)\}", expression):
            labels = families[family_of(name, types)][1]
            for label, values in LABEL_VALUE.findall(selector):
                if label in given_by_prometheus:
                    continue
                assert label in labels, f"{where}: {name} has no label {label}"
                if name.startswith("berth_http_request_duration"):  # whose routes are there from the start
                    assert set(values.split("|")) <= labels[label], f"{where}: {name} has no {label} {values}"
        for label in re.findall(r"by \(([^)]*)\)", expression):
            known = given_by_prometheus.union({"le"}, *(found for _, found in families.values()))
            assert {part.strip() for part in label.split(",")} <= known, f"{where}: nothing has the label {label}"


def test_every_alert_says_how_bad_it_is_and_what_to_do():
    for rule in (rule for group in RULES[0]["groups"] for rule in group["rules"]):
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"] and rule["annotations"]["action"], rule["alert"]


def test_the_page_describes_every_series_with_its_labels_and_no_other(families):
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]*)\| (\S.*) \|$", PAGE, re.MULTILINE)
    described = {name: {label for label in labels.replace(" ", "").split(",") if label} for name, labels, _ in rows}
    served = {name: set(labels) - {"le"} for name, (_, labels) in families.items()}
    assert len(rows) == len(described)
    assert described == served


def test_panels_do_not_lie_over_each_other():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
