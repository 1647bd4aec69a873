"""helm: charts as artifacts, pushed, pulled, shown, picked by version range."""
import json
import tarfile

import pytest

from images import noise
from processes import run

CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
CHART_PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"


@pytest.fixture
def helm(quiet_home, scratch):
    return lambda *command, **options: run("helm", *command, env=quiet_home, cwd=scratch, **options)


@pytest.fixture
def package(helm, scratch):
    """Packages a chart `harbour` of a version and returns the archive's path; also makes the directory `pulled`."""
    (scratch / "pulled").mkdir()
    chart = scratch / "harbour"
    (chart / "templates").mkdir(parents=True)
    (chart / "values.yaml").write_text("cranes: 3\n")
    (chart / "templates" / "config.yaml").write_text("kind: ConfigMap\ndata:\n  cranes: {{ .Values.cranes }}\n")
    (chart / "noise.bin").write_bytes(noise("helm", 50_000))

    def package(version):
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: harbour\nversion: {version}\ndescription: a test\n")
        helm("package", "harbour")
        return scratch / f"harbour-{version}.tgz"
    return package


@pytest.fixture
def charts(registry, repo):
    """The URL charts are pushed below."""
    return f"oci://{registry.address}/{repo}"


def test_a_chart_comes_back_byte_for_byte(helm, package, charts, registry, repo, scratch):
    archive = package("0.1.0")
    helm("push", "--plain-http", archive, charts)
    manifest = registry.manifest(f"{repo}/harbour", "0.1.0").json()
    assert manifest["config"]["mediaType"] == CHART_CONFIG  # V5
    assert [layer["mediaType"] for layer in manifest["layers"]] == [CHART_CONTENT]
    assert registry.blob(f"{repo}/harbour", manifest["layers"][0]["digest"]) == archive.read_bytes()
    assert json.loads(registry.blob(f"{repo}/harbour", manifest["config"]["digest"]))["name"] == "harbour"
    helm("pull", "--plain-http", f"{charts}/harbour", "--version", "0.1.0", "--destination", scratch / "pulled")
    assert (scratch / "pulled" / archive.name).read_bytes() == archive.read_bytes()


def test_show_reads_a_chart_without_keeping_it(helm, package, charts):
    helm("push", "--plain-http", package("0.1.0"), charts)
    shown = helm("show", "chart", "--plain-http", f"{charts}/harbour", "--version", "0.1.0")
    assert "name: harbour" in shown and "version: 0.1.0" in shown
    assert "cranes: 3" in helm("show", "values", "--plain-http", f"{charts}/harbour", "--version", "0.1.0")
    rendered = helm("template", "release", "--plain-http", f"{charts}/harbour", "--version", "0.1.0")
    assert "cranes: 3" in rendered


def test_a_version_range_picks_the_newest_that_fits(helm, package, charts, registry, repo, scratch):
    for version in ("1.9.0", "1.10.0", "2.0.0"):
        helm("push", "--plain-http", package(version), charts)
    assert registry.tags(f"{repo}/harbour") == ["1.10.0", "1.9.0", "2.0.0"]  # L1: bytewise, helm sorts by itself
    helm("pull", "--plain-http", f"{charts}/harbour", "--version", "^1.0.0", "--destination", scratch / "pulled")
    assert [file.name for file in (scratch / "pulled").iterdir()] == ["harbour-1.10.0.tgz"]
    assert "version: 2.0.0" in helm("show", "chart", "--plain-http", f"{charts}/harbour")


def test_build_metadata_in_a_version_becomes_an_underscore(helm, package, charts, registry, repo, scratch):
    archive = package("1.0.0+build.7")
    helm("push", "--plain-http", archive, charts)
    assert registry.tags(f"{repo}/harbour") == ["1.0.0_build.7"]  # G2 has no plus
    helm("pull", "--plain-http", f"{charts}/harbour", "--version", "1.0.0+build.7", "--destination", scratch / "pulled")
    pulled = list((scratch / "pulled").iterdir())
    assert [file.read_bytes() for file in pulled] == [archive.read_bytes()]


def test_a_provenance_file_travels_with_its_chart(helm, package, charts, registry, repo, scratch):
    archive = package("0.2.0")
    provenance = archive.with_name(archive.name + ".prov")
    provenance.write_text("-----BEGIN PGP SIGNED MESSAGE-----\nnot a real one\n")
    helm("push", "--plain-http", archive, charts)
    types = {layer["mediaType"] for layer in registry.manifest(f"{repo}/harbour", "0.2.0").json()["layers"]}
    assert types == {CHART_CONTENT, CHART_PROVENANCE}
    helm("pull", "--plain-http", "--prov", f"{charts}/harbour", "--version", "0.2.0", "-d", scratch / "pulled")
    for file in (archive, provenance):
        assert (scratch / "pulled" / file.name).read_bytes() == file.read_bytes()


def test_pull_by_digest_and_untar(helm, package, charts, registry, repo, scratch):
    archive = package("0.3.0")
    helm("push", "--plain-http", archive, charts)
    digest = registry.manifest(f"{repo}/harbour", "0.3.0").digest
    helm("pull", "--plain-http", f"{charts}/harbour@{digest}", "--untar", "--untardir", scratch / "open")
    with tarfile.open(archive) as tar:
        for member in (member for member in tar.getmembers() if member.isfile()):
            assert (scratch / "open" / member.name).read_bytes() == tar.extractfile(member).read()


def test_a_missing_chart_is_reported_as_not_found(helm, charts):
    failed = helm("pull", "--plain-http", f"{charts}/nothing", "--version", "1.0.0", check=False)
    assert failed.returncode != 0
    assert "not found" in failed.stderr, failed.stderr
