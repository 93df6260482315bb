"""A fresh Debian boots in a container, and the package goes through its whole life on it (`make deb-test`).

    python -m tests.deploy.machine [--suite bookworm]        as root, with debootstrap and systemd-nspawn

The container has a network of its own with nothing but loopback, so an installation that wanted to
download something would fail; PMS and UCM are the package's own simulators. The base system is made
once, in build/; each run works on a copy in memory.
"""

import argparse
import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "0.1.0", "0.1.1"
UNIT = "pms-gateway.service"
ETC = "/etc/pms-gateway"
BASE = "systemd,systemd-sysv,udev,dbus,python3,passwd,init-system-helpers,man-db,bash-completion"
CONFIG = """
[site]
name = "harbour-hotel"
[pms]
line = "tcp:127.0.0.1:5010"
[fias]
record_pacing_ms = 0
[ucm]
url = "https://127.0.0.1:8089/api"
username = "pmsgw"
password_file = "ucm-password"
pms_username = "hotel"
pms_password_file = "pms-password"
fingerprint = "{fingerprint}"
retry_interval_s = 1
"""


def call(*command, check=True, stdin=None):
    """Run something here, to its end; its output."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, input=stdin, timeout=600
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


def base_system(suite):
    """The folder of a minimal Debian, made when it is missing."""
    folder = ROOT / "build" / suite
    if not (folder / "ready").exists():
        say(f"making {folder}: a minute")
        call("debootstrap", "--variant=minbase", f"--include={BASE}", suite, str(folder))
        (folder / "ready").touch()
    return folder


def packages():
    """The package as it is, and the same as a higher version."""
    folder = ROOT / "build" / "packages"
    for version in (OLD, NEW):
        say(f"building {version}")
        call(sys.executable, str(ROOT / "deploy/debian/build.py"), "--arch", "amd64",
             "--level", "0", "--version", version, "--output", str(folder))  # fmt: skip
    return folder


class Machine:
    """A booted container. Commands run in it as root."""

    def __init__(self, leader):
        self.enter = ("nsenter", "--target", str(leader), "--all", "--wd", "--root",
                      "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")  # fmt: skip

    def run(self, *command, check=True, stdin=None):
        """A command to its end; its output."""
        return call(*self.enter, *command, check=check, stdin=stdin)

    def sh(self, script, *, check=True):
        """A line of shell."""
        return self.run("sh", "-c", script, check=check)

    def write(self, path, text):
        """Write a file without changing its owner and mode."""
        self.run("tee", path, stdin=text)

    @contextlib.contextmanager
    def going(self, *command):
        """A program that goes on, until the end of the block."""
        process = subprocess.Popen(
            [*self.enter, "PYTHONUNBUFFERED=1", "sh", "-c", 'echo $$; exec "$@"', "sh", *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        pid = process.stdout.readline().strip()  # nsenter would not pass a signal on
        try:
            yield process
        finally:
            if process.poll() is None:
                self.sh(f"kill {pid}", check=False)
            process.wait(20)
            process.stdout.close()

    def shown(self, key):
        """What systemd knows of the unit."""
        return self.run("systemctl", "show", "--value", f"--property={key}", UNIT).strip()


@contextlib.contextmanager
def booted(base, folder):
    """Boot a copy in memory of the base system, with the packages in /packages."""
    nspawn = subprocess.Popen(
        ["systemd-nspawn", "--quiet", f"--directory={base}", "--boot", "--volatile=overlay",
         "--register=no", "--keep-unit", "--private-network", f"--bind-ro={folder}:/packages",
         "--machine=pms-gateway-test"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
        leader = wait_for("the container", children.read_text).split()[0]
        machine = Machine(leader)
        wait_for("systemd", lambda: re.search(
            "running|degraded", machine.run("systemctl", "is-system-running", check=False)))  # fmt: skip
        yield machine
    except Exception:  # whatever it was: what the machine says of it, and then it is raised
        say(machine.run("journalctl", "--lines=60", "--no-pager", check=False))
        raise
    finally:
        nspawn.terminate()  # systemd-nspawn shuts its machine down
        try:
            nspawn.wait(30)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()


def wait_for(what, condition, within_s=60):
    """The condition's value as soon as it is true."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if found := condition():
                return found
        time.sleep(0.2)
    raise AssertionError(f"it never happened: {what}")


def say(text):
    """A step, for whoever watches."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {text}\n")
    sys.stdout.flush()


def waiting(machine):
    """Rows that wait for the UCM, by the program's own word."""
    return machine.run("pms-gateway", "outbox", "list", "--json").count('"state": "waiting"')


@contextlib.contextmanager
def ucm(machine):
    """A simulated UCM on the machine; its fingerprint."""
    with machine.going("pms-gateway", "simulate", "ucm", "--folder", "/tmp/ucm") as process:
        for text in process.stdout:
            if found := re.search(r"sha256:[0-9A-F:]+", text):
                yield found[0]
                return


def tell(machine, *records):
    """A PMS comes, says these records and leaves."""
    machine.write("/tmp/day.txt", "\n".join(records) + "\n")
    with machine.going("pms-gateway", "simulate", "pms", "--line", "listen:127.0.0.1:5010",
                       "--script", "/tmp/day.txt", "--every", "0.01") as pms:  # fmt: skip
        assert pms.wait(60) == 0, pms.stdout.read()


def install(machine, version):
    """`dpkg -i`, also over another version."""
    return machine.run("dpkg", "--install", f"/packages/pms-gateway_{version}_amd64.deb")


def test_install(machine):
    """Everything is there, nobody but the service can read it, and nothing runs unasked."""
    assert "not yet started" in install(machine, OLD)
    install(machine, OLD)  # twice is as once
    modes = machine.sh(f"stat -c '%a %U:%G %n' {ETC} {ETC}/* /var/lib/pms-gateway")
    say("installed:\n" + modes)
    assert modes.splitlines() == [
        f"750 root:pms-gateway {ETC}",
        f"640 root:pms-gateway {ETC}/gateway.toml",
        f"600 root:root {ETC}/pms-password",
        f"600 root:root {ETC}/ucm-password",
        "700 pms-gateway:pms-gateway /var/lib/pms-gateway",
    ]
    assert machine.shown("ActiveState") == "inactive"
    assert machine.run("systemctl", "is-enabled", UNIT).strip() == "enabled"
    assert machine.run("dpkg", "--verify", "pms-gateway") == ""
    assert machine.run("pms-gateway", "version") == f"pms-gateway {OLD}\n"
    assert "is empty" in machine.run(
        "pms-gateway", "check-config", f"{ETC}/gateway.toml", check=False
    )


def test_service(machine, fingerprint):
    """It starts in its sandbox as its user, and its secrets are in no place where others look."""
    machine.write(f"{ETC}/gateway.toml", CONFIG.format(fingerprint=fingerprint))
    machine.write(f"{ETC}/ucm-password", "api-secret\n")
    machine.write(f"{ETC}/pms-password", "pms-secret\n")
    machine.run("systemctl", "start", UNIT)
    pid = machine.shown("MainPID")
    assert machine.sh(f"stat -c %U /proc/{pid}").strip() == "pms-gateway"
    seen = machine.sh("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl --no-pager")
    assert "api-secret" not in seen
    assert "pms-secret" not in seen
    say("started\n" + machine.sh(f"grep VmRSS /proc/{pid}/status; systemctl status {UNIT}"))
    tell(machine, "GI|RN101|G#1|GNRossi|GSN|")
    wait_for("delivered", lambda: "delivered" in machine.run("journalctl", "--unit", UNIT))
    assert waiting(machine) == 0


def test_reload(machine):
    """What can be taken over is, what cannot is named, what is wrong is refused; it goes on."""
    pid, text = machine.shown("MainPID"), machine.run("cat", f"{ETC}/gateway.toml")
    for changed, event in (
        (text.replace("interval_s = 1", "interval_s = 2"), "config_reloaded taken=ucm.retry_interval_s"),
        (text.replace(":5010", ":5011"), "restart needed for pms.line"),
        (text.replace("8089/api", "8089/pmsapi"), "config_refused"),
    ):  # fmt: skip
        machine.write(f"{ETC}/gateway.toml", changed)
        machine.run("systemctl", "reload", UNIT)
        wait_for(event, lambda event=event: event in machine.run("journalctl", "--unit", UNIT), 10)
    machine.write(f"{ETC}/gateway.toml", text)
    machine.run("systemctl", "reload", UNIT)
    assert (machine.shown("MainPID"), machine.shown("ActiveState")) == (pid, "active")


def test_exchange(machine, version):
    """Another version over the running one: the service is the new one, and what waited waits."""
    pid = machine.shown("MainPID")
    install(machine, version)
    wait_for("restarted", lambda: machine.shown("ActiveState") == "active")
    assert machine.shown("MainPID") != pid
    assert f"version={version}" in machine.run("journalctl", f"_PID={machine.shown('MainPID')}")
    assert waiting(machine) == 3


def commands_of(title):
    """The commands that deploy/README.md gives under a title, without their comments."""
    section = (ROOT / "deploy/README.md").read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^    (.*?)(?: +#.*)?$", section, re.MULTILINE)


def test_backup(machine):
    """Backed up and restored by the words of the README, word for word."""
    machine.sh("set -e\n" + "\n".join(commands_of("Back up")))
    machine.sh(f"systemctl stop {UNIT}; rm -r /var/lib/pms-gateway/*; systemctl start {UNIT}")
    assert waiting(machine) == 0  # a card that was lost
    machine.sh("\n".join(commands_of("Restore")[:5]))  # nobody is there for a resync
    assert machine.shown("ActiveState") == "active"
    assert machine.run("stat", "-c", "%a %U", "/var/lib/pms-gateway").strip() == "700 pms-gateway"
    assert waiting(machine) == 3


def test_watchdog(machine):
    """A process that hangs is killed and replaced."""
    machine.sh(f"mkdir -p /run/systemd/system/{UNIT}.d; printf '[Service]\\nWatchdogSec=4\\nRestartSec=1\\n'"
               f" > /run/systemd/system/{UNIT}.d/quick.conf; systemctl daemon-reload; systemctl restart {UNIT}")  # fmt: skip
    pid = machine.shown("MainPID")
    time.sleep(6)
    assert machine.shown("MainPID") == pid  # it lives, and says so
    machine.sh(f"kill -STOP {pid}")
    wait_for("another process", lambda: machine.shown("MainPID") not in ("0", pid))
    wait_for("started", lambda: machine.shown("ActiveState") == "active")
    assert "Watchdog timeout" in machine.run("journalctl", "--unit", UNIT)


def test_purge(machine):
    """The configuration goes, the data only if that was said."""
    machine.run("dpkg", "--remove", "pms-gateway")
    assert machine.run("ls", ETC).split() == ["gateway.toml", "pms-password", "ucm-password"]
    assert "stay, with guests' names" in machine.run("dpkg", "--purge", "pms-gateway")
    assert machine.sh(f"ls {ETC}", check=False).count("No such file")
    assert "outbox.db" in machine.run("ls", "/var/lib/pms-gateway")
    install(machine, OLD)
    assert "outbox.db" in machine.run("ls", "/var/lib/pms-gateway")
    machine.run("touch", f"{ETC}/purge-data")
    machine.run("dpkg", "--purge", "pms-gateway")
    left = machine.sh("find / -xdev -name '*pms-gateway*' -not -path '/packages*' -not -path '/proc/*'"
                      " -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/backups/*'")  # fmt: skip
    assert left == "", left
    assert "pms-gateway" not in machine.run("cat", "/etc/passwd", "/etc/group")


def life(machine):
    """The whole life of a package on a machine."""
    test_install(machine)
    with ucm(machine) as fingerprint:
        test_service(machine, fingerprint)
        test_reload(machine)
    say("the UCM is away; three guests come")
    tell(machine, *(f"GI|RN{room}|G#{room}|GNMeyer|GSN|" for room in (102, 103, 104)))
    wait_for("three rows", lambda: waiting(machine) == 3)
    for version in (NEW, OLD):
        test_exchange(machine, version)
        say(f"{version} over the other: restarted, 3 waiting")
    test_backup(machine)
    say("backed up, lost, restored: 3 waiting")
    test_watchdog(machine)
    say("a hung process was replaced; the UCM comes back")
    with ucm(machine):
        wait_for("all delivered", lambda: waiting(machine) == 0)
    assert (
        machine.run("pms-gateway", "outbox", "list", "--state", "parked", "--json").strip() == "[]"
    )
    test_purge(machine)
    say("purged; nothing is left")


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description="The package's life on a fresh Debian.")
    parser.add_argument("--suite", choices=("bookworm", "trixie"), default="bookworm")
    given = parser.parse_args()
    base, folder = base_system(given.suite), packages()
    with booted(base, folder) as machine:
        say(f"booted {machine.sh('. /etc/os-release; echo $PRETTY_NAME').strip()}")
        life(machine)
    say("all is well")


if __name__ == "__main__":
    main()
