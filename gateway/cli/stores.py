"""`store copy`: a house between its two kinds of stores; `pair`: the two gateways of a house."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.shared import (
    DEFAULT_PATH,
    ConfigOption,
    JsonOption,
    declinable,
    ended,
    group,
    load_config,
    painted,
    print_json,
    say,
    talk,
)

store_app = group("Where the house is kept: a file, or a PostgreSQL.")


@store_app.command("copy")
def store_copy(
    source: Annotated[str, typer.Argument(help="outbox.db, or postgresql://…", metavar="FROM")],
    target: Annotated[str, typer.Argument(help="The same; it must be empty.", metavar="TO")],
    config: ConfigOption = DEFAULT_PATH,
    schema: Annotated[
        str | None, typer.Option(help="In the PostgreSQL; none: that of the configuration's site.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Move a house to another store, with the service stopped: counted and compared."""
    from gateway.store import StorageFailed
    from gateway.tools import stores

    if ("://" in source or "://" in target) and schema is None:
        schema = load_config(config).house_schema
    if "://" not in target and not Path(target).parent.is_dir():
        raise ended(f"{Path(target).parent} is no folder")
    copied: list[stores.Copied] = []
    with declinable():
        try:
            old = stores.store_at(source, schema or "", read_only=True)
            new = stores.store_at(target, schema or "")
            try:
                for where, store in ((source, old), (target, new)):
                    if worker := stores.worker_on(where, store):
                        raise ended(f"{where} is in use by {worker}: stop the service first", 1)
                stores.copy(old, new, copied.append)
            finally:
                old.close()
                new.close()
        except StorageFailed as failed:
            raise ended(f"{failed}: {failed.do}", 1) from None
        except ValueError as error:
            raise ended(str(error)) from None
    if as_json:
        print_json([{"table": each.table, "rows": each.rows} for each in copied])
        return
    for each in copied:
        say(f"{each.table:<16}  {each.rows:>8}")
    talk("All rows are the same in both. Set [store] url accordingly, and start the service.")


def pair(config: ConfigOption = DEFAULT_PATH, as_json: JsonOption = False) -> None:
    """The two gateways of a house: which is at work, and whether the other one could take over.

    Exit 0: one holds the house and another one stands by; 1: not.
    """
    from gateway.tools import stores

    loaded = load_config(config)
    if not loaded.pair.name:
        raise ended("this gateway has no partner: see [pair] in deploy/two-boxes.md", 1)
    with declinable():
        found = stores.pair(loaded)
    silent_s = stores.SILENT_LEASES * loaded.pair.lease_s
    alive = {each["name"]: each["age_s"] < silent_s for each in found["members"]}
    is_well = alive.get(found["holder"], False) and any(
        alive[each["name"]] for each in found["members"] if each["name"] != found["holder"]
    )
    if as_json:
        print_json({**found, "ok": is_well})
    else:
        say(f"{'NAME':<16}  {'ROLE':<8}  {'SEEN':<12}  {'EPOCH':>5}  VERSION")
        for each in found["members"]:
            role = "holder" if each["name"] == found["holder"] else each["role"]
            seen = f"{each['age_s']:.0f} s ago"
            text = f"{each['name']:<16}  {role:<8}  {seen:<12}  {each['epoch']:>5}  "
            say(painted(text + each["version"], good=alive[each["name"]]))
        if not found["holder"]:
            talk("nobody holds the house: is a gateway running?")
        elif not is_well:
            talk("no other gateway stands by: start it, and look why it stopped")
    raise typer.Exit(0 if is_well else 1)
