#!/usr/bin/env python3
"""The gate must refuse everything but a complete, fully passed run: each way of not passing has a row here."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import gate  # noqa: E402

RESULTS = """config:
  registry: 127.0.0.1:5000
  username: {username}
  apis:
    ping: true
    blobs:
      uploadCancel: true
  data:
    image: true
    sparse: {sparse}
  roData:
    tags: []
  version: {version}
apis:
  Ping: Pass
  Blob get: {api}
data:
  Image: Pass
  Sparse Manifests: {data}
"""
CASE = '<testcase name="suite/{name}" status="{status}"><system-out>{why}</system-out></testcase>'


def verdict(run="noauth/dev-sparse", cases=(("ping", "passed", ""),), version="dev", drop=None, replace=None, **fields):
    """The complaints about a run made of these cases and this results.yaml."""
    values = {"username": '""', "sparse": "true", "api": "Pass", "data": "Pass", "version": version, **fields}
    text = RESULTS.format(**values)
    if replace:
        text = text.replace(*replace)
    junit = "".join(CASE.format(name=name, status=status, why=why) for name, status, why in cases)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "results.yaml").write_text(text)
        (folder / "junit.xml").write_text(f'<testsuites tests="1"><testsuite>{junit}</testsuite></testsuites>')
        if drop:
            (folder / drop).unlink()
        return gate.check_run(folder, run)[1]


class Gate(unittest.TestCase):
    def test_accepts_complete_runs(self):
        self.assertEqual(verdict(), [])
        self.assertEqual(verdict("noauth/1.1-strict", version='"1.1"', sparse="false", data="Disabled"), [])

    def test_runs_with_accounts_had_credentials_and_others_none(self):
        for mode in ("basic", "bearer"):
            self.assertEqual(verdict(f"{mode}/dev-sparse", username="conformance"), [])
            self.assertTrue(verdict(f"{mode}/dev-sparse"))
        self.assertTrue(verdict(username="conformance"))

    def test_refuses_every_other_outcome_of_a_case(self):
        for status, why, word in (("failure", "x", "fail"), ("error", "x", "error"), ("skipped", "202", "skip"),
                                  ("skipped", "api is disabled in the configuration", "disabled")):
            complaints = verdict(cases=(("ping", "passed", ""), ("blob", status, why)))
            self.assertEqual([line.split(":")[0] for line in complaints], [word], status)

    def test_refuses_summaries_that_are_not_pass(self):
        for word in ("FAIL", "Error", "Skip", "Disabled", "Unknown"):
            self.assertEqual(verdict(api=word), [f"{word}: apis: Blob get"])

    def test_refuses_switched_off_options(self):
        off = verdict(replace=("uploadCancel: true", "uploadCancel: false"))
        self.assertEqual(off, ["disabled: option apis.blobs.uploadCancel was off"])
        self.assertTrue(verdict(sparse="false"))
        self.assertTrue(verdict(data="Disabled"))

    def test_strict_runs_excuse_the_sparse_set_alone(self):
        self.assertTrue(verdict("noauth/dev-strict"), "sparse was on")
        self.assertTrue(verdict("noauth/dev-strict", sparse="false", data="Skip"))
        strict = {"run": "noauth/dev-strict", "sparse": "false", "data": "Disabled"}
        self.assertEqual(verdict(**strict), [])
        self.assertTrue(verdict(**strict, replace=("Image: Pass", "Image: Disabled")))

    def test_refuses_missing_files_empty_runs_and_the_wrong_version(self):
        self.assertTrue(verdict(drop="results.yaml"))
        self.assertTrue(verdict(drop="junit.xml"))
        self.assertTrue(verdict(cases=()))
        self.assertTrue(verdict(version='"1.1"'))
        self.assertTrue(verdict(replace=("apis:\n  Ping: Pass\n  Blob get: Pass\n", "")))


if __name__ == "__main__":
    unittest.main()
