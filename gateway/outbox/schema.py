"""The outbox file's schema: numbered migrations, append only.

A file of an older version is brought forward one migration at a time, each in a transaction
together with its number (`PRAGMA user_version`). Never edit a migration that was released.
"""

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE entry (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        lane          TEXT    NOT NULL CHECK (lane IN ('to_ucm', 'to_pms')),
        state         TEXT    NOT NULL CHECK (state IN ('waiting', 'parked', 'done', 'superseded')),
        room          TEXT    NOT NULL,
        from_room     TEXT,                        -- a move touches two rooms
        event         TEXT    NOT NULL,            -- its word, see gateway/events.py
        body          TEXT    NOT NULL,            -- the event as JSON
        record        TEXT    NOT NULL,            -- the record that caused it, for the operator
        background    INTEGER NOT NULL DEFAULT 0,  -- 1: from a resync, live entries go first
        received_at   REAL    NOT NULL,            -- all moments: seconds since 1970
        due_at        REAL    NOT NULL,
        attempts      INTEGER NOT NULL DEFAULT 0,  -- refusals; an absent UCM does not count
        unsure        INTEGER NOT NULL DEFAULT 0,  -- a call went out and its reply was lost
        error         TEXT,                        -- the last error, in words
        finished_at   REAL,
        superseded_by INTEGER
    ) STRICT;

    CREATE INDEX entry_queue     ON entry (lane, background, id)   WHERE state = 'waiting';
    CREATE INDEX entry_room      ON entry (room, id)               WHERE state = 'waiting';
    CREATE INDEX entry_from_room ON entry (from_room, id)          WHERE state = 'waiting'
                                                                   AND from_room IS NOT NULL;
    CREATE INDEX entry_parked    ON entry (room, id)               WHERE state = 'parked';
    CREATE INDEX entry_finished  ON entry (finished_at)            WHERE finished_at IS NOT NULL;

    -- The house, by the PMS's word: written in the transaction of the entries it caused.
    CREATE TABLE house_room   (room TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE house_ledger (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL) STRICT;

    -- The last record of each room, to know a repeat whose ACK was lost.
    CREATE TABLE heard (room TEXT PRIMARY KEY, digest BLOB NOT NULL, at REAL NOT NULL)
        STRICT, WITHOUT ROWID;

    -- What could not be read, for the technician: the newest REFUSED_KEPT.
    CREATE TABLE refused (
        id     INTEGER PRIMARY KEY AUTOINCREMENT,
        at     REAL NOT NULL,
        reason TEXT NOT NULL,
        body   BLOB NOT NULL,
        advice TEXT NOT NULL
    ) STRICT;
    """,
    """
    -- A row is its room's head while nothing earlier that waits touches its rooms. Only heads are
    -- looked at, so a long backlog costs no more than a short one.
    ALTER TABLE entry ADD COLUMN head INTEGER NOT NULL DEFAULT 0;
    UPDATE entry SET head = 1 WHERE state = 'waiting'
        AND NOT EXISTS (SELECT 1 FROM entry AS a WHERE a.state = 'waiting' AND a.id < entry.id
                        AND a.room IN (entry.room, entry.from_room))
        AND NOT EXISTS (SELECT 1 FROM entry AS b WHERE b.state = 'waiting' AND b.id < entry.id
                        AND b.from_room IN (entry.room, entry.from_room)
                        AND b.from_room IS NOT NULL);
    DROP INDEX entry_queue;
    CREATE INDEX entry_head ON entry (lane, background, attempts, id) WHERE head = 1;
    CREATE INDEX entry_background      ON entry (room)      WHERE background = 1
                                                            AND state = 'waiting';
    CREATE INDEX entry_background_from ON entry (from_room) WHERE background = 1
                                                            AND state = 'waiting'
                                                            AND from_room IS NOT NULL;

    -- The books: how many entries were ever accepted, and in which state they are. They add up.
    CREATE TABLE tally (lane TEXT, word TEXT, count INTEGER NOT NULL, PRIMARY KEY (lane, word))
        STRICT, WITHOUT ROWID;
    INSERT INTO tally SELECT lane, state, count(*) FROM entry GROUP BY lane, state;
    INSERT INTO tally SELECT lane, 'accepted', count(*) FROM entry GROUP BY lane;
    """,
    """
    -- A record is taken in by one statement and its row is ended by one: each is a transaction of
    -- its own that changes as few pages as it can. What belongs together is kept by triggers.

    INSERT OR IGNORE INTO tally VALUES
        ('to_ucm', 'accepted', 0), ('to_ucm', 'done', 0), ('to_ucm', 'waiting', 0);
    -- From here on a row's number is how many there were before it. Numbers that were given to
    -- rows of which no book knows any more belong to rows that were delivered.
    UPDATE tally SET count = count + coalesce(
            (SELECT seq FROM sqlite_sequence WHERE name = 'entry')
            - (SELECT count FROM tally WHERE lane = 'to_ucm' AND word = 'accepted'), 0)
        WHERE lane = 'to_ucm' AND word = 'done';
    UPDATE tally SET count = max(count, coalesce(
            (SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0))
        WHERE lane = 'to_ucm' AND word = 'accepted';

    CREATE TABLE entry_without_sequence (
        id            INTEGER PRIMARY KEY,
        lane          TEXT    NOT NULL CHECK (lane IN ('to_ucm', 'to_pms')),
        state         TEXT    NOT NULL CHECK (state IN ('waiting', 'parked', 'done', 'superseded')),
        room          TEXT    NOT NULL,
        from_room     TEXT,
        event         TEXT    NOT NULL,
        body          TEXT    NOT NULL,
        record        TEXT    NOT NULL,
        background    INTEGER NOT NULL DEFAULT 0,
        received_at   REAL    NOT NULL,
        due_at        REAL    NOT NULL,
        attempts      INTEGER NOT NULL DEFAULT 0,
        unsure        INTEGER NOT NULL DEFAULT 0,
        error         TEXT,
        finished_at   REAL,
        superseded_by INTEGER,
        head          INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO entry_without_sequence SELECT * FROM entry;
    DROP TABLE entry;
    ALTER TABLE entry_without_sequence RENAME TO entry;

    CREATE INDEX entry_head            ON entry (lane, background, attempts, id) WHERE head = 1;
    CREATE INDEX entry_room            ON entry (room, id)      WHERE state = 'waiting';
    CREATE INDEX entry_from_room       ON entry (from_room, id) WHERE state = 'waiting'
                                                                AND from_room IS NOT NULL;
    CREATE INDEX entry_background      ON entry (room)          WHERE background = 1
                                                                AND state = 'waiting';
    CREATE INDEX entry_background_from ON entry (from_room)     WHERE background = 1
                                                                AND state = 'waiting'
                                                                AND from_room IS NOT NULL;
    CREATE INDEX entry_parked          ON entry (room, id)      WHERE state = 'parked';
    CREATE INDEX entry_finished        ON entry (finished_at)   WHERE finished_at IS NOT NULL;

    -- The last record of a room lies beside the room, which that record has changed anyway.
    ALTER TABLE house_room ADD COLUMN digest BLOB;
    ALTER TABLE house_room ADD COLUMN at REAL;
    DROP TABLE heard;

    CREATE TRIGGER entry_is_accepted AFTER INSERT ON entry BEGIN
        INSERT INTO tally VALUES (new.lane, 'accepted', 1), (new.lane, new.state, 1)
            ON CONFLICT (lane, word) DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER entry_changes_its_state AFTER UPDATE OF state ON entry
    WHEN new.state != old.state BEGIN
        INSERT INTO tally VALUES (old.lane, old.state, -1), (new.lane, new.state, 1)
            ON CONFLICT (lane, word) DO UPDATE SET count = count + excluded.count;
    END;

    -- What is inserted here becomes a row at the end of its rooms' queues, and the state of its
    -- room, where that has changed.
    CREATE VIEW taken AS
        SELECT entry.id, room, from_room, event, entry.body, record, background, received_at,
               house_room.body AS house, digest
        FROM entry JOIN house_room USING (room);
    CREATE TRIGGER take_in INSTEAD OF INSERT ON taken BEGIN
        INSERT INTO entry (id, lane, state, room, from_room, event, body, record, background,
                           received_at, due_at, head)
        VALUES (new.id, 'to_ucm', 'waiting', new.room, new.from_room, new.event, new.body,
                new.record, new.background, new.received_at, 0,
                NOT EXISTS (SELECT 1 FROM entry WHERE state = 'waiting'
                            AND room IN (new.room, new.from_room))
                AND NOT EXISTS (SELECT 1 FROM entry WHERE state = 'waiting'
                                AND from_room IN (new.room, new.from_room)
                                AND from_room IS NOT NULL));
        INSERT INTO house_room (room, body, digest, at)
        SELECT new.room, coalesce(new.house, ''), new.digest, new.received_at
        WHERE new.house IS NOT NULL OR new.digest IS NOT NULL
        ON CONFLICT (room) DO UPDATE SET body = coalesce(new.house, body),
            digest = coalesce(new.digest, digest), at = iif(new.digest IS NULL, at, excluded.at);
    END;
    """,
)

REFUSED_KEPT: Final = 1000
