"""The log of berth serve: one line a request, fit for machines, without anything secret."""

import http.client
import json
import re

from conftest import SECONDS


def ask(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def lines_of(server):
    server.stop()
    return server.log.read_text().splitlines()


def requests_in(lines):
    return [line for line in map(json.loads, lines) if line["event"] == "http.request"]


def test_every_request_has_one_line_with_what_an_operator_asks_for(serve):
    server = serve()
    ask(server, "GET", "/v2/", headers={"User-Agent": "docker/24.0"})
    ask(server, "GET", "/v2/team/app/manifests/1.0.0")
    first, second = requests_in(lines_of(server))
    assert (first["method"], first["path"], first["route"], first["status"]) == ("GET", "/v2/", "base", 200)
    assert first["agent"] == "docker/24.0" and first["peer"] == "127.0.0.1"
    assert first["bytes_in"] > 0 and first["bytes_out"] > 0 and first["us"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["at"])
    assert (second["route"], second["status"]) == ("manifest", 404)
    assert first["req"] != second["req"]


def test_no_session_query_or_header_reaches_the_log(serve):  # S23
    server = serve()
    location = ask(server, "POST", "/v2/team/app/blobs/uploads/").getheader("Location")
    session = re.search(r"uploads/([^/?]+)", location).group(1)
    ask(server, "PATCH", location, b"bytes", {"Authorization": "Bearer very-secret"})
    ask(server, "GET", "/v2/_catalog?n=5&token=very-secret")
    text = "\n".join(lines_of(server))
    assert session not in text
    assert "very-secret" not in text
    assert [line["path"] for line in requests_in(text.splitlines())][1].endswith("...")


def test_what_a_client_sends_cannot_forge_a_line(serve):  # S23
    server = serve()
    ask(server, "GET", "/v2/%0a%22/tags/list", headers={"User-Agent": 'x"} \\n {"event":"http.request"}'})
    lines = lines_of(server)
    assert len(requests_in(lines)) == 1


def test_errors_alone_or_nothing_can_be_asked_for(serve):
    for setting, statuses in (("errors", [404]), ("off", [])):
        server = serve("--access-log", setting)
        ask(server, "GET", "/v2/")
        ask(server, "GET", "/v2/none/tags/list")
        assert [line["status"] for line in requests_in(lines_of(server))] == statuses


def test_text_is_for_people(serve):
    server = serve("--log-format", "text")
    ask(server, "GET", "/v2/")
    line = next(line for line in lines_of(server) if " GET " in line)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} info  GET /v2/  200  \d+ B  \d+\.\d ms  127\.0\.0\.1", line)
