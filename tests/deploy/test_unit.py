"""The unit, the udev rule and the scripts, as the tools that will read them see them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from gateway.config import load

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "pms-gateway.service"
MOST_EXPOSED = 2.0


def tool(name, package):
    """The path of a tool. CI has it; elsewhere the test is skipped without."""
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"needs {name}: apt-get install {package}")
    assert found, f"CI needs {name}: apt-get install {package}"
    return found


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def settings():
    """Every line `Key=value` of the unit."""
    return dict(re.findall(r"^([A-Za-z]+)=(.*)$", UNIT.read_text(), re.MULTILINE))


def test_the_unit_of_one_of_many_houses_differs_in_names_only():
    def lines(path):
        return [line for line in path.read_text().splitlines() if not line.startswith("#")]

    names = (("gateway.toml", "%i.toml"), ("StateDirectory=pms-gateway", r"\g<0>/%i"),
             (r"LoadCredential=(.*):(/.*/)(.*)", r"LoadCredential=%i.\1:\2%i.\3"),
             (r"^Description=.*", r"\g<0> (%i)"))  # fmt: skip
    expected = lines(UNIT)
    for old, new in names:
        expected = [re.sub(rf"{old}$", new, line) for line in expected]
    assert lines(DEPLOY / "pms-gateway@.service") == [
        line.replace(
            "check-config /etc/pms-gateway/gateway.toml", "check-config /etc/pms-gateway/%i.toml"
        )
        for line in expected
    ]


def test_the_service_is_shut_in():
    analyze = tool("systemd-analyze", "systemd")
    told = said(analyze, "security", "--offline=true", "--no-pager", str(UNIT))
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure, told
    assert float(exposure[1]) <= MOST_EXPOSED, told


def test_systemd_understands_every_line_of_the_unit(tmp_path):
    analyze = tool("systemd-analyze", "systemd")
    unit = tmp_path / UNIT.name  # with a program that exists here
    unit.write_text(UNIT.read_text().replace("/usr/bin/pms-gateway", shutil.which("true")))
    told = said(analyze, "verify", "--man=no", str(unit))
    assert not [line for line in told.splitlines() if UNIT.name in line], told


def test_the_unit_does_what_the_readme_promises():
    unit = settings()
    assert unit["Type"] == "notify"
    assert unit["Restart"] == "always"
    assert "check-config" in unit["ExecStartPre"]
    assert (unit["User"], unit["SupplementaryGroups"]) == ("pms-gateway", "dialout")
    assert (unit["StateDirectory"], unit["StateDirectoryMode"]) == ("pms-gateway", "0700")
    assert int(unit["WatchdogSec"]) >= 2 * 10  # see gateway.service.watchdog.LOOK_EVERY_S


def test_the_credentials_are_those_that_the_example_names():
    loaded = re.findall(r"^LoadCredential=([a-z-]+):", UNIT.read_text(), re.MULTILINE)
    ucm = tomllib.loads((DEPLOY / "gateway.toml").read_text())["ucm"]
    assert loaded == [ucm["password_file"], ucm["pms_password_file"]]


def test_the_example_lacks_nothing_but_its_passwords(tmp_path):
    shutil.copy(DEPLOY / "gateway.toml", tmp_path)
    for name in ("ucm-password", "pms-password"):
        (tmp_path / name).write_text("secret\n")
    assert load(tmp_path / "gateway.toml").charges is None


def test_the_rule_names_one_adapter_and_no_comment_is_a_rule():
    rules = (DEPLOY / "60-pms-line.rules").read_text().splitlines()
    active = [line for line in rules if line and not line.startswith("#")]
    examples = [line.removeprefix("# ") for line in rules if line.startswith("# ") and "==" in line]
    word = r'[A-Z]+(\{\w+\})?(==|\+=|=)"[^"]+"'
    for rule in [*active, *examples]:
        assert re.fullmatch(rf"{word}(, {word})+", rule), rule
        assert 'SYMLINK+="pms-line"' in rule
        assert 'GROUP="dialout"' in rule
    assert len(active) == 1


SCRIPTS = ["install.sh", "prepare.sh", "debian/postinst", "debian/prerm", "debian/postrm"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_are_clean(name):
    assert said(tool("shellcheck", "shellcheck"), "--shell=sh", str(DEPLOY / name)) == ""
    assert said("sh", "-n", str(DEPLOY / name)) == ""


def test_nothing_in_deploy_names_a_registry_or_a_path_of_a_machine():
    hosts = "|".join(("python" + "hosted", "py" + r"pi\.org", "docker" + r"\.io"))
    forbidden = re.compile(hosts + r"|(?<![\w.<~/])/(home|root|Users)/")
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert not [path.name for path in files if forbidden.search(path.read_text(encoding="utf-8"))]


def test_uninstalling_stops_the_houses_too():
    """`systemctl stop` knows patterns; `disable` refuses them, and leaves all that it was given."""
    script = (DEPLOY / "install.sh").read_text(encoding="utf-8")
    assert 'systemctl stop pms-gateway.service "pms-gateway@*.service"' in script
    disabling = [line for line in script.splitlines() if "systemctl disable" in line]
    assert disabling
    assert not any("*" in line for line in disabling)
    assert any("pms-gateway@.service" in line for line in disabling)
