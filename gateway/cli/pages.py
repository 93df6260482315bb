"""The manual page and the shell completion, made from the commands themselves.

The completion is a static table: the program needs a second to start on a small machine, which is
too long for a Tab key.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

from gateway import __version__

FILES = """\
/etc/pms-gateway/gateway.toml|the configuration; every key is in /usr/share/pms-gateway/gateway.toml
/etc/pms-gateway/ucm-password|password of the UCM's API user; root's alone, the service gets a copy
/etc/pms-gateway/pms-password|password of the UCM's PMS page
/var/lib/pms-gateway|what waits for the UCM, who is in which room, the line's last bytes
/dev/pms-line|the serial adapter, see /usr/lib/udev/rules.d/60-pms-line.rules"""
EXITS = "0|done\n1|failed, or different\n2|wrong use or wrong configuration"


def commands(root: Any) -> Iterator[tuple[str, Any]]:
    """Every command below `root` with its whole name, as the help orders them; groups before their
    verbs.
    """

    def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        yield name, command
        for each in getattr(command, "commands", {}):
            yield from walk(command.commands[each], f"{name} {each}".strip())

    return walk(root, "")


def manual(root: Any) -> str:
    """The page pms-gateway(1), as roff. `root`: the command of the whole program."""
    lines = [
        f'.TH PMS-GATEWAY 1 "" "pms-gateway {__version__}"',
        ".SH NAME",
        "pms\\-gateway \\- FIAS hotel systems to the PMS API of a Grandstream UCM",
        ".SH SYNOPSIS",
        ".B pms\\-gateway\n.I COMMAND\n[\\-h] ...",
        ".SH COMMANDS",
    ]
    for name, command in commands(root):
        if name and not hasattr(command, "commands"):
            lines += [".TP", f".B {_roff(_usage(name, command))}", _roff(_help(command))]
            for option, words in _options(command):
                lines += [".RS", ".TP", f".B {_roff(option)}", _roff(words), ".RE"]
    lines.append(".SH OPTIONS")
    for option, words in _options(root):
        lines += [".TP", f".B {_roff(option)}", _roff(words)]
    for title, table in (("FILES", FILES), ("EXIT STATUS", EXITS)):
        lines.append(f".SH {title}")
        for row in table.splitlines():
            term, words = row.split("|")
            lines += [".TP", f".B {_roff(term)}", _roff(words)]
    return "\n".join(lines) + "\n"


def completion(root: Any) -> str:
    """For bash: the words that can follow a command, and file names where there are none."""
    rows = [
        f'    "{name}") words="{" ".join(_words(command))}" ;;' for name, command in commands(root)
    ]
    return _COMPLETION.replace("ROWS", "\n".join(rows))


_COMPLETION = """\
# bash completion for pms-gateway
_pms_gateway() {
  local command="" words="" each
  for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    each="${command:+$command }$each"
    if _pms_gateway_words "$each"; then command=$each; fi
  done
  _pms_gateway_words "$command"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
_pms_gateway_words() {
  case "$1" in
ROWS
    *) return 1 ;;
  esac
}
complete -o bashdefault -o default -F _pms_gateway pms-gateway
"""


def _words(command: Any) -> list[str]:
    verbs = list(getattr(command, "commands", {}))
    names = (name for each in command.params for name in (*each.opts, *each.secondary_opts))
    options = [name for name in names if name.startswith("-")]
    values = [value for each in command.params for value in _values(each)]
    return [*verbs, *options, "-h", *values]


def _values(parameter: Any) -> list[str]:
    """The words that an option takes, where they are a closed set."""
    kind = parameter.type_descriptor.annotation
    is_closed = isinstance(kind, type) and issubclass(kind, Enum)
    return [str(each.value) for each in kind] if is_closed else []


def _usage(name: str, command: Any) -> str:
    arguments = [_argument(each) for each in command.params if not each.opts[0].startswith("-")]
    return " ".join([name, *arguments])


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name.upper()).strip("[]")
    return name if parameter.required else f"[{name}]"


def _options(command: Any) -> Iterator[tuple[str, str]]:
    for each in command.params:
        if each.opts[0].startswith("-"):
            metavar = "" if each.is_flag else f" {each.metavar or each.name.upper()}"
            names = ", ".join((*each.opts, *each.secondary_opts))
            yield names + metavar, each.help or ""


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", " ".join(escaped.split()))
