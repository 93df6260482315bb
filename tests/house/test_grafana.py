"""What is in grafana/ is current, complete and agrees with itself and with the runbook."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.cli import app
from gateway.metrics import Metrics
from grafana import make
from grafana.pages import DASHBOARDS

ROOT = Path(__file__, "../../..").resolve()
ALERTS = (ROOT / "grafana/alerts.yml").read_text(encoding="utf-8")
RULES = ALERTS + (ROOT / "grafana/recording.yml").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "deploy/runbook.md").read_text(encoding="utf-8")
UNIT_TESTS = sorted((ROOT / "grafana/tests").glob("*.yml"))
NAMES = re.findall(r"- alert: (\w+)", ALERTS)
PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]


def promtool(*arguments):
    """The program's verdict; CI has it, other machines may not."""
    if shutil.which("promtool") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs promtool: apt-get install prometheus")
        pytest.skip("promtool is not installed; CI has it")
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, done.stdout + done.stderr


def anchor(heading):
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


@pytest.mark.parametrize("path", make.files(), ids=lambda path: path.name)
def test_what_is_made_is_current(path):
    assert path.read_text(encoding="utf-8") == make.files()[path], "say `make grafana`"


def test_there_is_no_dashboard_of_yesterday():
    made = {path for path in make.files() if path.suffix == ".json"}
    assert set((ROOT / "grafana/dashboards").glob("*")) == made


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_a_dashboard_can_be_read(dashboard):
    page = json.loads(make.as_json(dashboard))
    assert page["uid"] == f"pmsgw-{dashboard.name}"
    assert len({panel["id"] for panel in page["panels"]}) == len(page["panels"])
    for panel in page["panels"]:
        assert panel["description"].rstrip(".").count("?") >= 1, (
            f"{panel['title']}: which question?"
        )
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        if panel["type"] == "stat":
            # Where none are said, Grafana makes everything from 80 on red.
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs) >= 1


def test_every_metric_is_on_a_panel_or_behind_one():
    asked = " ".join(query for panel in PANELS for query in panel.queries.values()) + RULES
    names = {metric.name for metric in Metrics(version="1", site="x").registry.collect()}
    assert {name for name in names if name not in asked} == {"process_virtual_memory_bytes"}


def test_nobody_asks_for_a_metric_that_does_not_exist():
    asked = " ".join(query for panel in PANELS for query in panel.queries.values()) + RULES
    families = Metrics(version="1", site="x").registry.collect()
    known = {
        f"{each.name}{end}" for each in families for end in ("", "_total", "_bucket", "_count")
    }
    known |= {f"pmsgw_serial_errors{end}" for end in ("", "_total")}
    wanted = set(re.findall(r"(?<!instance:)\bpmsgw_\w+", asked))
    assert wanted - known == set()


def test_rules_are_well_formed():
    code, said = promtool("check", "rules", "grafana/alerts.yml", "grafana/recording.yml")
    assert code == 0, said


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_alerts_ring_when_they_should_and_only_then(path):
    code, said = promtool("test", "rules", str(path))
    assert code == 0, said


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_is_tried_says_its_first_step_and_leads_to_the_runbook(name):
    tried = "".join(path.read_text(encoding="utf-8") for path in UNIT_TESTS)
    cases = [case for case in tried.split("  - name: ") if case.startswith(f'"{name}: ')]
    assert any(f'alertname="{name}"' in case for case in cases), "no unit test sees it ring"
    assert any("exp_samples: []" in case for case in cases), "no unit test sees it quiet"
    rule = ALERTS.split(f"- alert: {name}\n")[1].split("- alert: ")[0]
    assert re.search(r"labels: { severity: (critical|warning), service: pms-gateway }", rule)
    assert re.search(r'description: ".+ First step: .+"', rule)
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    assert f"runbook_url: deploy/runbook.md#{words}\n" in rule


def test_each_alert_has_its_section_and_each_section_its_alert():
    linked = re.findall(r"runbook_url: deploy/runbook\.md#(\S+)", ALERTS)
    sections = [anchor(each) for each in re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)]
    assert sections == linked


@pytest.mark.parametrize(
    "section", RUNBOOK.split("\n## ")[1:], ids=lambda text: text.split("\n")[0]
)
def test_a_section_answers_the_same_questions(section):
    words = re.findall(r"^\*\*(.+?)\.\*\*", section, re.MULTILINE)
    assert words == ["Means", "The guest notices", "First step", "Then", "Over when"]


def test_the_runbook_speaks_only_of_commands_that_exist():
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    for group in app.registered_groups:
        known |= {f"{group.name} {each.name}" for each in group.typer_instance.registered_commands}
    said = re.findall(
        r"`pms-gateway ((?:line|outbox|postings|phones|simulate) [a-z-]+|[a-z-]+)", RUNBOOK + ALERTS
    )
    assert len(said) > 30
    assert set(said) - known == set()
