"""The store's schema: numbered migrations, append only. Never edit one that was released.

Versions 1 to 3 kept a queue of events beside the house. `from_queue` takes such a file over: what
each room should show follows from its house; what it does show is not known, and one list of the
UCM settles it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import apsw

VERSION: Final = 5
QUEUE_BEFORE: Final = 4
"""The first version without a queue of events; 5 added the way back."""

CREATE: Final = """
    CREATE TABLE room (
        room       TEXT PRIMARY KEY,
        house      TEXT NOT NULL DEFAULT '',    -- who is in it, by the PMS's word, as JSON
        digest     BLOB,                        -- of the last record that changed it
        heard_at   REAL,                        -- all moments: seconds since 1970
        record     TEXT NOT NULL DEFAULT '',    -- of which the UCM has to be told
        since      REAL NOT NULL DEFAULT 0,
        background INTEGER NOT NULL DEFAULT 0,  -- 1: only a resync has changed it
        actual     TEXT NOT NULL DEFAULT '',    -- what the UCM was last known to show, as JSON
        trouble    TEXT NOT NULL DEFAULT '',    -- what the UCM refused, as JSON
        pending    TEXT NOT NULL DEFAULT ''     -- a call whose outcome is not known, as JSON
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ledger (
        id     INTEGER PRIMARY KEY CHECK (id = 1),
        body   TEXT NOT NULL,                   -- what the house knows beside its rooms, as JSON
        writes INTEGER NOT NULL                 -- batches ever stored
    ) STRICT;
    INSERT INTO ledger VALUES (1, '', 0);

    -- Each call to the UCM, for the operator. Nothing reads it to decide anything.
    CREATE TABLE journal (
        id        INTEGER PRIMARY KEY,
        at        REAL NOT NULL,
        room      TEXT NOT NULL,
        from_room TEXT NOT NULL,
        call      TEXT NOT NULL,
        result    TEXT NOT NULL,
        took_s    REAL NOT NULL,
        record    TEXT NOT NULL
    ) STRICT;
    CREATE INDEX journal_room ON journal (room, id);
    CREATE INDEX journal_from ON journal (from_room, id) WHERE from_room != '';
    CREATE INDEX journal_at   ON journal (at);

    -- What could not be read, for the technician: the newest REFUSED_KEPT.
    CREATE TABLE IF NOT EXISTS refused (
        id     INTEGER PRIMARY KEY AUTOINCREMENT,
        at     REAL NOT NULL,
        reason TEXT NOT NULL,
        body   BLOB NOT NULL,
        advice TEXT NOT NULL
    ) STRICT;
"""

CREATE_BACK: Final = """
    -- Who was in which room when: who pays for a call of then.
    CREATE TABLE resident (
        room     TEXT NOT NULL,
        guest    TEXT NOT NULL,
        pms_room TEXT NOT NULL,
        since    REAL NOT NULL,
        until    REAL,                          -- NULL: is there
        PRIMARY KEY (room, guest, since)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE posting (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        kind      TEXT NOT NULL,
        cause     TEXT NOT NULL UNIQUE,         -- a second one of the same cause is not stored
        room      TEXT NOT NULL,
        body      TEXT NOT NULL,                -- what is said, as JSON
        guests    TEXT NOT NULL,                -- who may pay, as JSON
        state     TEXT NOT NULL,
        number    INTEGER,                      -- the last one it was sent under
        tries     INTEGER NOT NULL,
        at        REAL NOT NULL,
        due_at    REAL NOT NULL,
        reason    TEXT NOT NULL,
        is_forced INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX posting_state ON posting (state);

    CREATE TABLE posting_step (
        id      INTEGER PRIMARY KEY,
        posting INTEGER NOT NULL,
        at      REAL NOT NULL,
        state   TEXT NOT NULL,
        who     TEXT NOT NULL,
        why     TEXT NOT NULL
    ) STRICT;
    CREATE INDEX posting_step_posting ON posting_step (posting, id);

    -- Numbers that the PMS has heard: never the same twice within a week.
    CREATE TABLE posting_number (
        number  INTEGER PRIMARY KEY,
        posting INTEGER NOT NULL,
        at      REAL NOT NULL
    ) STRICT;

    -- What was last seen of what only has a latest value: a maid's status, a mailbox.
    CREATE TABLE level (
        kind TEXT NOT NULL,
        room TEXT NOT NULL,
        seen TEXT NOT NULL,
        at   REAL NOT NULL,
        PRIMARY KEY (kind, room)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE call (
        key    TEXT PRIMARY KEY,
        began  REAL NOT NULL,
        ended  REAL NOT NULL,
        room   TEXT NOT NULL,
        use    TEXT NOT NULL,
        digits TEXT NOT NULL,
        talk_s INTEGER NOT NULL,
        amount INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX call_began ON call (began);

    CREATE TABLE back (
        id     INTEGER PRIMARY KEY CHECK (id = 1),
        number INTEGER NOT NULL,                -- the last posting number
        first  REAL,                            -- see CallsMark
        until  REAL,
        canary TEXT NOT NULL
    ) STRICT;
    INSERT INTO back VALUES (1, 0, NULL, NULL, '');
"""


@dataclass(slots=True)
class _Open:
    """What waited or was parked of one room.

    events  by their word, the last one of each: its body
    """

    record: str = ""
    since: float = 0.0
    events: dict[str, Any] = field(default_factory=dict)

    def value(self, event: str, name: str) -> Any:
        """One value of an event's body; None: there is none."""
        return self.events.get(event, {}).get(name)


def from_queue(db: apsw.Connection) -> None:
    """Take over a file of version 1, 2 or 3, inside the caller's transaction.

    A room in which nobody's coming or going was still to be told shows its stay, and how it shows
    it is not known. Of any other room nothing is known.
    """
    houses: list[Any] = db.execute("SELECT room, body FROM house_room WHERE body != ''").fetchall()
    ledger: Any = db.execute("SELECT body FROM house_ledger").get
    newest: Any = db.execute("SELECT max(received_at) FROM entry").get
    waiting = _open_rows(db)
    db.execute("DROP VIEW IF EXISTS taken")
    for table in ("entry", "house_room", "house_ledger", "tally", "heard"):
        db.execute(f"DROP TABLE IF EXISTS {table}")
    db.execute(CREATE)
    bodies = {room: json.loads(body) for room, body in houses}
    stays = 0
    for room in bodies.keys() | waiting.keys():
        old, still = bodies.get(room, {}), waiting.get(room)
        stays += bool(old.get("guests"))
        house = _house(old, stays, still or _Open())
        actual = _actual(old, stays, still or _Open())
        db.execute(
            "INSERT INTO room (room, house, record, since, actual) VALUES (?, ?, ?, ?, ?)",
            (
                room,
                _text(house),
                still.record if still is not None else "",
                still.since if still is not None else newest or 0.0,
                "" if actual is None else _text(actual),
            ),
        )
    kept = json.loads(ledger) if ledger else {}
    db.execute("UPDATE ledger SET body = ?", (_text({**kept, "stays": stays}),))


def _open_rows(db: apsw.Connection) -> dict[str, _Open]:
    rows: list[Any] = db.execute(
        "SELECT room, from_room, record, received_at, event, body FROM entry"
        " WHERE state IN ('waiting', 'parked') ORDER BY id"
    ).fetchall()
    waiting: dict[str, _Open] = {}
    for room, from_room, record, at, event, body in rows:
        for each in filter(None, (room, from_room)):
            still = waiting.setdefault(each, _Open(since=at))
            still.record = record
            still.events[event] = json.loads(body)
    return waiting


def _house(old: Mapping[str, Any], stay: int, still: _Open) -> dict[str, Any]:
    """The room by the PMS's word, with what was still to be told outright."""
    names = ("guests", "expected", "said", "left", "vacated", "wake_ups")
    house = {name: old[name] for name in names if name in old}
    if house.get("guests"):
        house["stay"] = stay
        if (dnd := still.value("do_not_disturb", "on")) is not None:
            house |= {"dnd": dnd, "dnd_said": 1}
    elif old.get("told_out") or old.get("empty"):
        house["out"] = True
    if (code := still.value("room_status", "code")) is not None:
        house |= {"status": code, "status_said": 1}
    return house


def _actual(old: Mapping[str, Any], stay: int, still: _Open) -> dict[str, Any] | None:
    """What the UCM was told of the room; None: not known."""
    if still.events.keys() & {"check_in", "check_out", "move"}:
        return None
    if not old.get("guests"):
        return {} if old.get("told_out") and not still.events else None
    said = {
        f"{name}_said": -1  # it must be told again
        for name, event in (("wake_up", "wake_up"), ("dnd", "do_not_disturb"))
        if event in still.events
    }
    return {"stay": stay, "tags": None, **said}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
