"""The phones in the rooms as the store has them, while no service runs."""

from functools import partial
from typing import Any

from gateway.config import Config
from gateway.drivers.gxv import Identity
from gateway.house.states import NOTHING_HEARD
from gateway.pipeline.kept import house_of
from gateway.pipeline.phones import PhoneView, holds_in
from gateway.store import Store
from gateway.web.phones import as_json


def kept(config: Config, store: Store) -> list[dict[str, Any]]:
    """Every phone as `web.phones.as_json` tells it: what was still to be done to it."""
    if not config.sets:
        return []
    from gateway.service.parts import wishes, words  # much for who has no phones

    wants, rooms = wishes(config, partial(words, config)), house_of(store.load())[0]
    desired = {number: room.desired() for number, room in rooms.items()}
    holds = holds_in(store.levels())
    return [
        as_json(
            PhoneView(
                room=each.room, address=each.address, identity=Identity(), is_there=None,
                is_registered=None, step=step.value if step else "", trouble="", since=None,
            ),
            config.zone,
        )
        for each in sorted(config.sets, key=lambda each: each.room)
        for step in [wants.step(desired.get(each.room, NOTHING_HEARD), holds.get(each.room))]
    ]  # fmt: skip
