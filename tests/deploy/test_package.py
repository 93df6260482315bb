"""The Debian package is built, unpacked and run, without installing it (`make deb-test` does that)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "debian"))

import build  # noqa: E402  # it is a program, not a package

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)


@pytest.fixture
def package(tmp_path_factory):
    """A package for this machine and this Python alone, and what is in it. It takes most of a
    minute, so that one test looks at all of it.
    """
    if shutil.which("dpkg-deb") is None or ARCH is None or PYTHON not in build.PYTHONS:
        pytest.skip("a package can be built and run on Debian's machine types with dpkg-deb")
    folder = tmp_path_factory.mktemp("deb")
    try:
        deb = build.build(ARCH, folder, "9.8.7", (PYTHON,), 0)
    except SystemExit as error:
        if "pip failed" in str(error) and not os.environ.get("CI"):
            pytest.skip("the libraries cannot be fetched here: no network")
        raise
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(folder / "root")], check=True)
    return deb, folder / "root"


def call(root, *arguments, **environ):
    """The unpacked program, with a Python that has none of our libraries in sight."""
    base = Path(sys.base_prefix, "bin", f"python{PYTHON}")
    done = subprocess.run(
        [str(base), "-IB", str(root / "usr/bin/pms-gateway"), *arguments], capture_output=True,
        text=True, check=False, timeout=100, env={**os.environ, **environ},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.timeout(400)
def test_the_package_is_whole_and_its_program_runs(package):
    deb, root = package
    has_everything_and_nothing_of_the_builder(deb, root)
    lists_the_libraries_that_it_brings(root)
    runs_with_its_own_libraries(root)


def runs_with_its_own_libraries(root):
    assert call(root, "version") == (0, "pms-gateway 9.8.7\n", "")
    good = ROOT / "tests/data/config/good.toml"
    assert call(root, "check-config", str(good))[:2] == (0, f"{good}: ok\n")
    code, out, err = call(root, "demo", "--once")
    assert "Every room on the UCM is as the PMS meant it." in out, err
    assert code == 0


def has_everything_and_nothing_of_the_builder(deb, root):
    for _, target, mode in build.FILES:
        assert (root / target).stat().st_mode & 0o777 == mode, target
    library = root / "usr/lib/pms-gateway"
    assert {"gateway", "protocols", "apsw", "httpx"} <= {each.name for each in library.iterdir()}
    assert (library / "gateway/web/console/templates/now.html").exists()
    documents = root / build.DOCUMENTS
    for path in ("README.md", "docs/wiring.md", "deploy/runbook.md", "deploy/wireshark/fias.lua",
                 "grafana/alerts.yml", "grafana/dashboards/now.json"):  # fmt: skip
        assert (documents / path).read_bytes() == (ROOT / path).read_bytes()
    assert not list(root.rglob("__pycache__")) + list(root.rglob("direct_url.json"))
    told = subprocess.run(
        ["dpkg-deb", "--contents", str(deb)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {line.split()[1] for line in told} == {"root/root"}
    control = (root / "DEBIAN/control").read_text()
    assert "Version: 9.8.7\n" in control
    assert "conffiles" not in {each.name for each in (root / "DEBIAN").iterdir()}


def lists_the_libraries_that_it_brings(root):
    listed = json.loads((root / build.SBOM).read_text())
    brought = {
        tuple(each.name.removesuffix(".dist-info").lower().split("-"))
        for each in (root / "usr/lib/pms-gateway").glob("*.dist-info")
    }
    parts = listed["components"]
    assert {(each["name"].replace("-", "_").lower(), each["version"]) for each in parts} == brought
    assert all(each["licenses"] for each in parts)
    assert "/tmp" not in json.dumps(listed)


def test_libraries_that_differ_between_two_pythons_are_not_mixed(tmp_path):
    for python, text in (("3.11", "one"), ("3.13", "other")):
        (tmp_path / python).mkdir()
        (tmp_path / python / "library.py").write_text(text)
    build.merge(tmp_path / "3.11", tmp_path / "library")
    with pytest.raises(SystemExit, match="not the same for every Python"):
        build.merge(tmp_path / "3.13", tmp_path / "library")
