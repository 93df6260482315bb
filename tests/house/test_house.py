"""Rules of this house that a machine can keep; each message says how to repair."""

import ast
import re
from pathlib import Path

import pytest

from gateway.cli import app
from gateway.metrics import Metrics
from protocols.fias.records import RECORDS

ROOT = Path(__file__, "../../..").resolve()
SOURCES = sorted(
    path for folder in ("gateway", "protocols") for path in (ROOT / folder).rglob("*.py")
)
TABLES = {"records.py", "fields.py"}
OVER_BUDGET = {"house.py", "session.py"}
"""Files over 400 lines that are one thing: the house, the session."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_is_within_its_budget(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    limit = 780 if path.name in TABLES | OVER_BUDGET else 400
    assert lines <= limit, f"{path.name} has {lines} lines: split it, or say why here"


def test_no_test_file_is_over_its_budget():
    folders = ("gateway", "protocols", "story", "deploy", "house")
    files = [path for folder in folders for path in (ROOT / "tests" / folder).rglob("*.py")]
    long = [
        str(path.relative_to(ROOT))
        for path in files
        if len(path.read_text(encoding="utf-8").splitlines()) > 400
    ]
    assert not long, f"over 400 lines: {long}: split it by meaning, a topic each"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_things_have_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path.name}: say in a sentence what lives here"
    for node in tree.body:
        is_thing = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_thing and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} needs its contract"


def test_every_source_has_its_test_somewhere():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for path in SOURCES:
        if path.name in ("__init__.py", "__main__.py"):
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        parent, _, name = module.rpartition(".")
        covered = module in tests or re.search(
            rf"from {re.escape(parent)} import .*\b{name}\b", tests
        )
        assert covered or name in _THROUGH_THE_PROGRAM, f"{module}: no test imports it"


_THROUGH_THE_PROGRAM = {
    "mitel_pms",  # the other end of tests/story/test_mitel.py
    "deadlines", "back_events", "websocket",  # the clock of every story
    "rows",  # by the tests of what makes them
    "door", "press",  # by tests/gateway/web/console/test_app.py
    "serve",
    # Reached by the stories through the installed program, and through their packages' fronts.
    "app", "cli", "http", "decode", "doctor", "simulate", "normalize", "worker", "spec", "base",
    "serial", "tcp", "pbx", "pms", "hotel", "errors", "checksums", "controls", "facts", "clock", "house", "guests", "departures", "display", "resync", "values", "wake_ups",
    "file", "named_files", "parts_as_json", "about", "kinds", "line", "site_line", "engine", "phone", "phones", "line_pages", "views", "samples", "pages", "parts", "answers", "outgoing", "hold", "replay", "tell", "postings", "rate", "reports", "legs", "back", "poll", "posted", "bench", "service", "operator", "shared", "operate", "try_line",
}  # fmt: skip


def test_every_metric_is_named_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {metric.name for metric in Metrics(version="1", site="x").registry.collect()}
    assert not {name for name in names if name not in readme}, "add it to the README's table"


def test_every_record_is_named_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [each for each in RECORDS if f"{each}" not in readme]


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    for group in app.registered_groups:
        names += [f"{group.name} {each.name}" for each in group.typer_instance.registered_commands]
    missing = [name for name in names if f"`{name}" not in readme.replace("`pms-gateway ", "`")]
    assert not missing, "add it to the README's table of commands"


def test_the_example_configuration_loads_and_has_every_key():
    from gateway.config import model

    text = (ROOT / "deploy" / "gateway.toml").read_text(encoding="utf-8")
    for section, field in model.File.model_fields.items():
        assert f"[{section}]" in text
        for key in getattr(field.annotation, "model_fields", ()):
            assert re.search(rf"^#? ?{key} *=", text, re.MULTILINE), (
                f"{section}.{key} is not in the example"
            )


def test_nothing_names_a_registry_or_a_path_of_a_machine():
    # Put together here, so that this file does not name them either.
    hosts = "|".join(("python" + "hosted", "py" + r"pi\.org", "registry" + r"\.npm"))
    forbidden = re.compile(hosts + r"|(?<![\w.<~/])/(home|root|Users)/")
    files = [ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.lock"), *SOURCES]
    assert not [path.name for path in files if forbidden.search(path.read_text(encoding="utf-8"))]
