#!/usr/bin/env python3
"""Build the Debian packages: `make deb`, or `build.py --arch arm64 --output DIR`.

A package brings its own libraries and needs no network where it is installed. Binary modules carry
the Python they are for in their names, so one package per machine type has those for every Python
it supports, side by side: Debian 12 (3.11), Ubuntu 24.04 (3.12), Debian 13 (3.13). Every file is
checked against requirements.lock. The same sources give the same bytes (SOURCE_DATE_EPOCH).
"""

import argparse
import filecmp
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer

from gateway import __version__
from gateway.cli import app, pages

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
PYTHONS: Final = ("3.11", "3.12", "3.13")
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBCS: Final = ("2_28", "2_17")  # wheels for older ones run on Debian 12, which has 2.36
LEFT_OUT: Final = re.compile(
    r"(^|/)__pycache__/|^bin/|^apsw/sqlite_extra_binaries/|"  # tools that nobody calls
    r"\.dist-info/(RECORD$|WHEEL$|INSTALLER$|REQUESTED$|direct_url\.json$|sboms/)"  # of one build
)
DOCUMENTS: Final = "usr/share/doc/pms-gateway"
FILES: Final = (
    ("debian/pms-gateway", "usr/bin/pms-gateway", 0o755),
    ("pms-gateway.service", "usr/lib/systemd/system/pms-gateway.service", 0o644),
    ("pms-gateway@.service", "usr/lib/systemd/system/pms-gateway@.service", 0o644),
    ("60-pms-line.rules", "usr/lib/udev/rules.d/60-pms-line.rules", 0o644),
    ("gateway.toml", "usr/share/pms-gateway/gateway.toml", 0o644),
    ("tariff.toml", "usr/share/pms-gateway/tariff.toml", 0o644),
    ("phones.toml", "usr/share/pms-gateway/phones.toml", 0o644),
    ("prepare.sh", "usr/share/pms-gateway/prepare", 0o755),
    ("../LICENSE", f"{DOCUMENTS}/copyright", 0o644),
    ("debian/postinst", "DEBIAN/postinst", 0o755),
    ("debian/prerm", "DEBIAN/prerm", 0o755),
    ("debian/postrm", "DEBIAN/postrm", 0o755),
)
DOCUMENT_FILES: Final = (
    "README.md", "docs/*.md", "docs/examples/*", "deploy/*.md", "deploy/*.toml", "deploy/*.rules",
    "deploy/prometheus*.yml", "deploy/houses.json", "deploy/wireshark/*",
    "deploy/grafana-provisioning/*/*", "grafana/README.md", "grafana/*.yml", "grafana/dashboards/*",
)  # fmt: skip
"""What is for people, in the same places as here, so that the links between them work."""
SBOM: Final = f"{DOCUMENTS}/sbom.cdx.json"
CONTROL: Final = """\
Package: pms-gateway
Version: {version}
Architecture: {arch}
Maintainer: the pms-gateway authors <pms-gateway@localhost>
Section: comm
Priority: optional
Installed-Size: {kilobytes}
Depends: python3 (>= 3.11), python3 (<< 3.14), libc6 (>= 2.28), libgcc-s1,
 passwd, init-system-helpers
Recommends: systemd, udev
Description: gateway between hotel PMS systems (FIAS) and a Grandstream UCM
 A guest who is checked in at the front desk is checked in on the phone. Speaks FIAS over RS-232 or
 TCP on one side and the PMS API of a UCM on the other; what it acknowledged is never lost.
"""


def build(arch: str, output: Path, version: str, pythons: tuple[str, ...], level: int) -> Path:
    """One package. Raises SystemExit with a sentence."""
    epoch = source_date_epoch()
    with tempfile.TemporaryDirectory(prefix="pms-gateway-deb-") as folder:
        tree = Path(folder, "tree")
        library = tree / "usr/lib/pms-gateway"
        for python in pythons:
            wheels = Path(folder, python)
            progress(f"{arch}: fetching the libraries for Python {python} ...")
            fetch(wheels, arch, python)
            merge(wheels, library)
        progress(f"{arch}: putting the package together ...")
        copy_sources(library, version)
        copy_files(tree)
        list_parts(library, tree / SBOM, epoch)
        describe(tree, arch, version)
        settle(tree, epoch)
        output.mkdir(parents=True, exist_ok=True)
        package = output / f"pms-gateway_{version}_{arch}.deb"
        run("dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", f"-z{level}", "--build",
            str(tree), str(package), SOURCE_DATE_EPOCH=str(epoch))  # fmt: skip
    return package


def progress(words: str) -> None:
    """A build takes a minute or two."""
    sys.stderr.write(words + "\n")


def fetch(target: Path, arch: str, python: str) -> None:
    """The locked libraries as wheels for this machine and Python, whatever runs here."""
    platforms = [
        word for glibc in GLIBCS for word in ("--platform", f"manylinux_{glibc}_{MACHINES[arch]}")
    ]
    run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-compile", "--target", str(target), *platforms, "--platform",
        f"manylinux2014_{MACHINES[arch]}", "--implementation", "cp", "--python-version", python,
        "--only-binary=:all:", "--require-hashes",
        "-r", str(ROOT / "requirements.lock"))  # fmt: skip


def merge(wheels: Path, library: Path) -> None:
    """Put the libraries of one Python beside those of the others. What they share must be equal."""
    for source in files_in(wheels):
        name = str(source.relative_to(wheels))
        if LEFT_OUT.search(name):
            continue
        target = library / name
        if target.exists() and not filecmp.cmp(source, target, shallow=False):
            raise SystemExit(f"{name} is not the same for every Python: one package each is needed")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def copy_sources(library: Path, version: str) -> None:
    """Our own two packages, with the version of the package that is built."""
    for package in ("gateway", "protocols"):
        shutil.copytree(
            ROOT / package, library / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    front = library / "gateway/__init__.py"
    front.write_text(front.read_text().replace(f'"{__version__}"', f'"{version}"'))


def copy_files(tree: Path) -> None:
    """Everything outside the library: unit, rule, example, scripts, pages."""
    for source, target, mode in FILES:
        path = tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DEPLOY / source, path)
        path.chmod(mode)
    for pattern in DOCUMENT_FILES:
        for path in sorted(ROOT.glob(pattern)):
            document = tree / DOCUMENTS / path.relative_to(ROOT)
            document.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, document)
    root = typer.main.get_command(app)
    completion = tree / "usr/share/bash-completion/completions/pms-gateway"
    completion.parent.mkdir(parents=True)
    completion.write_text(pages.completion(root))
    manual = tree / "usr/share/man/man1/pms-gateway.1.gz"
    manual.parent.mkdir(parents=True)
    manual.write_bytes(gzip.compress(pages.manual(root).encode(), mtime=0))


def list_parts(library: Path, target: Path, epoch: int) -> None:
    """The software bill of materials (CycloneDX): each library that the package brings, as it is
    there, with version, licence and what needs it.
    """
    with tempfile.TemporaryDirectory(prefix="pms-gateway-sbom-") as folder:
        # The tool asks a Python where its libraries are; this one has those of the package alone.
        python = Path(folder, "python")
        python.write_text(f"#!/bin/sh\necho '[\"{library}\"]'\n")
        python.chmod(0o755)
        run(sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible",
            "--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(target), str(python),
            SOURCE_DATE_EPOCH=str(epoch))  # fmt: skip


def describe(tree: Path, arch: str, version: str) -> None:
    """What dpkg wants to know; with the sums, `dpkg --verify pms-gateway` finds a damaged card."""
    paths = [path for path in files_in(tree) if "DEBIAN" not in path.parts]
    size = sum(path.stat().st_size for path in paths)
    sums = (f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(tree)}\n" for p in paths)
    (tree / "DEBIAN/md5sums").write_text("".join(sums))
    (tree / "DEBIAN/control").write_text(
        CONTROL.format(version=version, arch=arch, kilobytes=size // 1024)
    )


def settle(tree: Path, epoch: int) -> None:
    """The same modes and times whoever builds, and whenever."""
    for path in [tree, *sorted(tree.rglob("*"))]:
        is_program = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (epoch, epoch))


def source_date_epoch() -> int:
    """The moment of the sources: the environment's word, else the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or run("git", "-C", str(ROOT), "log", "-1", "--format=%ct"))


def files_in(folder: Path) -> Iterator[Path]:
    """All files below, in the same order everywhere."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def run(*command: str, **environ: str) -> str:
    """Run a tool; its last words become ours if it fails."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **environ}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is needed to build a package") from None
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stderr.strip()[-2000:]}")
    return done.stdout


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build the Debian packages.")
    parser.add_argument("--arch", choices=MACHINES, action="append", help="default: all")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--version", default=__version__, help="another version, for a test")
    parser.add_argument("--python", action="append", help=f"default: {', '.join(PYTHONS)}")
    parser.add_argument("--level", type=int, default=6, help="of compression; 0 is quick")
    given = parser.parse_args()
    for arch in given.arch or MACHINES:
        pythons = tuple(given.python or PYTHONS)
        package = build(arch, given.output, given.version, pythons, given.level)
        sys.stdout.write(f"{package}  {package.stat().st_size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
