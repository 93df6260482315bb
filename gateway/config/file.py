"""Reads the configuration file: TOML, strictly; all mistakes are told at once."""

import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gateway.back.kinds import CALL, KINDS
from gateway.back.tariff import Tariff
from gateway.config.checks import FINGERPRINT
from gateway.config.model import NO_PIN, File, lines_of, wanted_kinds
from gateway.config.named_files import NamedFiles
from gateway.config.site_config import Config
from gateway.metrics import CHARGES

EXAMPLE: Final = "deploy/gateway.toml, or in the package /usr/share/pms-gateway/gateway.toml"


class ConfigError(Exception):
    """The file is wrong. Print `sentences`, one line each, and exit 2."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def load(path: Path, *, needs_pin: bool = True) -> Config:
    """Read a file. Raises ConfigError with one sentence for each mistake in it.

    needs_pin   False: a fingerprint that is missing or is only a placeholder is no mistake, for
                whoever is about to find out the right one
    """
    path = path.absolute()  # so that a sentence says where a file was looked for
    raw = _toml(path)
    if not needs_pin:
        raw = _without_pin(raw)
    named = NamedFiles(path, raw)
    problems = [*_misfits(raw), *named.problems]
    try:
        file = File.model_validate(raw)
    except ValidationError as error:
        errors = [dict(each) for each in error.errors()]
        meant = {near for each in errors if (near := _meant(each))}
        problems = [
            *(_sentence(raw, each) for each in errors if not _is_meant(each, meant)),
            *(each for each in problems if each.partition(":")[0] not in meant),
        ]
    else:
        problems += [*_unsayable(file), *_unfit(file, named.rates)]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    ucm = file.ucm.model_copy(update=named.secrets | {"ca_file": named.ca_file})
    back = file.back.model_copy(update={"ws_password": named.ws_password})
    store = file.store.model_copy(update={"password": named.store_password})
    parts = {**dict(file), "ucm": ucm, "back": back, "store": store}
    return Config(**parts, path=path, scraped=named.scraped, rates=named.rates, sets=named.sets)


def _unsayable(file: File) -> list[str]:
    """What the site wants to tell its PMS and the dialect has no word for."""
    keys = wanted_kinds(file.back)
    found = [
        f"back.{keys[kind]}: a PMS that speaks {line.protocol} cannot be told of it; switch it off"
        + (", or give charges a line of their own: [charges_line]" if kind == CALL else "")
        for line in lines_of(file)
        for kind in sorted(line.kinds)
        if KINDS[kind].word not in line.dialect.can_say
    ]
    charges = next((line for line in lines_of(file) if line.name == CHARGES), None)
    if charges is None:
        return found
    if not charges.kinds:
        found.append('charges_line: nothing goes over it; say back.charges = "priced" or "timed"')
    if str(charges.spec) == str(file.pms.line):
        found.append("charges_line.line: is that of the guests too; it needs one of its own")
    has_prices, how = charges.dialect.has_prices, file.back.charges
    if has_prices is not None and CALL in charges.kinds and has_prices != (how == "priced"):
        needs = "priced" if has_prices else "timed"
        what = "with a price" if has_prices else "without a price"
        found.append(f'back.charges: {charges.protocol} takes calls {what}; say "{needs}"')
    return found


def _unfit(file: File, rates: Tariff | None) -> list[str]:
    """A tariff that the columns of a call record cannot show."""
    charges = next((line for line in lines_of(file) if line.name == CHARGES), None)
    if charges is None or not charges.dialect.has_prices or rates is None or rates.decimals == 2:
        return []
    return [f"tariff.file: {charges.protocol} has two decimals, and this tariff {rates.decimals}"]


def _without_pin(raw: dict[str, Any]) -> dict[str, Any]:
    ucm = raw.get("ucm")
    if not isinstance(ucm, dict) or ucm.get("tls", "pinned") != "pinned":
        return raw
    is_pin = re.fullmatch(FINGERPRINT, str(ucm.get("fingerprint")))
    return raw | {"ucm": ucm | {"fingerprint": ucm["fingerprint"] if is_pin else NO_PIN}}


def _toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # an editor of Windows writes a mark in front
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; start from the example: {EXAMPLE}"]) from None
    except PermissionError:
        raise ConfigError(
            [f"{path}: may not be read: run this as root or as the service's user"]
        ) from None
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: not UTF-8 text: save it as UTF-8"]) from None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers and nesting without an end, too
        hint = _key_at(text, str(error))
        raise ConfigError([f"{path}: not TOML: {error}{hint}"]) from None


def _key_at(text: str, error: str) -> str:
    """The key of the line that is wrong; never its value, which may be a password."""
    at = re.search(r"at line ([0-9]+)", error)
    lines = text.splitlines()
    if at is None or not 0 < int(at[1]) <= len(lines):
        return ""
    key, equals, _ = lines[int(at[1]) - 1].partition("=")
    if not equals or not key.strip().isprintable():
        return ""
    return f": look at {key.strip()!r}; texts stand between quotation marks"


def _misfits(raw: Mapping[str, Any]) -> list[str]:
    """Keys that are right alone and wrong together; told whatever else is wrong."""
    found = []
    ucm = raw.get("ucm")
    if isinstance(ucm, Mapping):
        url, tls, api = str(ucm.get("url", "")), ucm.get("tls", "pinned"), ucm.get("api", "new")
        for key in ("password", "pms_password"):
            given = [name for name in (key, f"{key}_file") if name in ucm]
            if len(given) != 1:
                found.append(f"ucm.{key}: give either {key} or {key}_file")
            elif ucm[given[0]] == "":
                found.append(f"ucm.{given[0]}: is empty")
        if url.startswith("http://") and tls != "insecure":
            found.append('ucm.url: plain http has no certificate; it needs tls = "insecure"')
        if api == "new" and url.endswith("/pmsapi"):
            found.append('ucm.url: /pmsapi is the old API; say api = "old", or end it with /api')
        if api == "old" and url.endswith("/api"):
            found.append('ucm.url: /api is the new API; say api = "new", or end it with /pmsapi')
        if ucm.get("old_tls") and tls != "pinned":
            found.append('ucm.old_tls: weak encryption needs tls = "pinned", or anybody can answer')
        if tls == "pinned" and "fingerprint" not in ucm:
            found.append(
                'ucm.fingerprint: tls = "pinned" needs it; `pms-gateway doctor` prints it, '
                'or say tls = "ca" or "insecure"'
            )
    pair, store = raw.get("pair"), raw.get("store")
    if isinstance(pair, Mapping):
        if not pair.get("name"):
            found.append("pair.name: missing; each of the two has its own")
        if not (isinstance(store, Mapping) and store.get("url")):
            found.append("pair: needs a PostgreSQL that both reach: [store] url")
    phones = raw.get("phones")
    if isinstance(phones, Mapping):
        if "file" not in phones:
            found.append("phones.file: missing; which room has its phone where")
        if "directory" in phones.get("at_check_in", ()) and not phones.get("directory"):
            found.append("phones.at_check_in: there are no numbers: give [[phones.directory]]")
    for section in ("pms", "charges_line"):
        table = raw.get(section)
        said = table if isinstance(table, Mapping) else {}
        if said.get("allow") and not str(said.get("line")).startswith("listen:"):
            found.append(f"{section}.allow: says who may dial us, so it needs a listen: line")
    if isinstance(raw.get("charges_line"), Mapping) and "line" not in raw["charges_line"]:
        found.append("charges_line.line: missing")
    back = raw.get("back")
    said = back if isinstance(back, Mapping) else {}
    if "ws_password" in said and "ws_password_file" in said:
        found.append("back.ws_password: give either ws_password or ws_password_file")
    if isinstance(ucm, Mapping) and ucm.get("api", "new") == "old":
        found += [
            f'back.{key}: the old API tells nothing of it; it needs ucm.api = "new"'
            for key in _WAYS_BACK
            if said.get(key) not in (None, False, "off")
        ]
    language = raw.get("language")
    if isinstance(language, Mapping):
        upper = [str(code).upper() for code in language]
        twice = sorted({each for each in upper if upper.count(each) > 1})
        found += [f"language.{_named(each)}: is there twice; case does not count" for each in twice]
    return found


_WAYS_BACK: Final = (
    "charges", "wake_up_results", "wake_ups_from_phones", "room_status", "voicemail", "minibar",
)  # fmt: skip


def _sentence(raw: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """One mistake: key, value, what is allowed."""
    where = [part for part in error["loc"] if part != "[key]"]
    key = ".".join(_named(part) for part in where)
    match error["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; {_instead(str(where[-1]), _allowed(where[:-1]))}"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            text = str(error["ctx"]["error"])
        case _:
            text = re.sub(
                r"^(Input should be|String should have|String should match)",
                "expected",
                str(error["msg"]),
            )
    return f"{key} = {_shown(raw, where)}: {text}"


def _meant(error: Mapping[str, Any]) -> str:
    """The key that an unknown one is most like, as `ucm.password`: that it is missing needs no
    sentence of its own. Empty: none.
    """
    where = error["loc"]
    if error["type"] != "extra_forbidden":
        return ""
    near = get_close_matches(str(where[-1]), _allowed(where[:-1]), n=1)
    return ".".join(map(str, (*where[:-1], near[0].removesuffix("_file")))) if near else ""


def _is_meant(error: Mapping[str, Any], meant: Collection[str]) -> bool:
    return error["type"] == "missing" and ".".join(map(str, error["loc"])) in meant


def _instead(key: str, allowed: list[str]) -> str:
    near = "".join(f"did you mean {each}? " for each in get_close_matches(key, allowed, n=1))
    return f"{near}allowed: {', '.join(allowed)}"


def _named(key: Any) -> str:
    """A key as one word of a sentence."""
    return str(key) if str(key).isprintable() else repr(key)


def _shown(raw: Mapping[str, Any], where: list[Any]) -> str:
    if where[:2] == ["store", "url"] or any(
        "password" in str(part) and not str(part).endswith("_file") for part in where
    ):
        return "***"
    value: Any = raw
    for part in where:
        value = value.get(part) if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list):
        return "{...}" if isinstance(value, Mapping) else "[...]"  # a password may be in it
    return repr(value)


def _allowed(where: list[Any]) -> list[str]:
    model: Any = File
    for part in where:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field else None
    return sorted(model.model_fields) if hasattr(model, "model_fields") else []
