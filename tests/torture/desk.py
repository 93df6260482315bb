"""The desk where records are taken in, over a store, without a line and without a UCM."""

from gateway.clock import Clock
from gateway.drivers.ucm.requests import Words, guest_tags
from gateway.house import House
from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import house_of
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.repeats import Repeats
from gateway.pipeline.reports import Ear, Reports
from gateway.pipeline.room_map import RoomMap
from gateway.store import StoreWorker
from protocols.fias import normalize

WORDS = Words()


def intake_over(store: StoreWorker, clock: Clock, metrics: Metrics, *, answers: bool) -> Intake:
    """An intake that goes on with what is in the file.

    answers     the line acknowledges records: then a lost answer brings one again
    """
    kept = store.store.load()
    rooms, ledger = house_of(kept)
    outbox = Outbox(tags_of=lambda guest, stay: guest_tags(guest, stay, WORDS), wall=clock.stamp)
    outbox.restore(rooms, kept.rooms.values())
    heard = {room: row.heard for room, row in kept.rooms.items() if row.heard is not None}
    intake = Intake(
        house=House(zone=clock.zone, rooms=rooms, ledger=ledger),
        rooms=RoomMap(),
        outbox=outbox,
        store=store,
        guests=Ear(normalize, Reports(clock, metrics, metrics.guests)),
        clock=clock,
        metrics=metrics,
        repeats=Repeats(heard) if answers else None,
    )
    intake.restore(kept.writes)
    return intake
