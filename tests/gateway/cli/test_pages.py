"""The manual page and the completion know every command, and a shell takes them."""

import subprocess

import pytest
import typer

from gateway.cli import app, pages

ROOT = typer.main.get_command(app)


def test_the_manual_and_the_completion_have_every_command_and_option():
    manual, completion = pages.manual(ROOT), pages.completion(ROOT)
    for name, command in pages.commands(ROOT):
        assert f'"{name}") words=' in completion
        for option in (each for each in command.params if each.opts[0].startswith("-")):
            assert option.opts[0] in completion
            assert option.opts[0].replace("-", "\\-") in manual
        if name and not hasattr(command, "commands"):
            assert f"\n.B {name}".replace("-", "\\-") in manual


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("pms-gateway outb", "outbox"),
        ("pms-gateway line de", "decode detect"),
        ("pms-gateway outbox ret", "retry"),
        ("pms-gateway run --config /etc/x --verb", "--verbose"),
        ("pms-gateway line send tcp:x:1 --as pb", "pbx"),
    ],
)
def test_the_completion_completes(tmp_path, typed, offered):
    script = tmp_path / "completion"
    script.write_text(pages.completion(ROOT))
    words = typed.split()
    shell = f'source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _pms_gateway; echo "${{COMPREPLY[*]}}"'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (offered, "")


def test_the_manual_has_no_line_that_roff_would_take_for_a_command(tmp_path):
    page = tmp_path / "pms-gateway.1"
    page.write_text(pages.manual(ROOT))
    known = (".TH", ".SH", ".B", ".I", ".TP", ".RS", ".RE")
    lines = page.read_text().splitlines()
    assert not [each for each in lines if each[:1] in (".", "'") and not each.startswith(known)]
