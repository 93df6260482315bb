"""The package is made twice: a minute of work, and worth it once a night."""

import os
import shutil

import pytest

from deploy.debian import build
from tests.deploy.test_package import ARCH, PYTHON, package

assert package  # the fixture is used by its name


@pytest.mark.timeout(400)
def test_the_same_sources_give_the_same_bytes(package, tmp_path, monkeypatch):
    deb, root = package

    def fetch(target, *_):
        shutil.copytree(root / "usr/lib/pms-gateway", target)
        for ours in ("gateway", "protocols"):
            shutil.rmtree(target / ours)

    monkeypatch.setattr(build, "fetch", fetch)
    was = os.umask(0o077)  # another builder
    try:
        again = build.build(ARCH, tmp_path, "9.8.7", (PYTHON,), 0)
    finally:
        os.umask(was)
    assert again.read_bytes() == deb.read_bytes()
