"""What a change of rooms means for the hotel, in the words of the calls. Pure."""

from collections.abc import Mapping

from gateway.house import Desired


def happened(before: Mapping[str, Desired], after: Mapping[str, Desired]) -> list[tuple[str, str]]:
    """What the change of these rooms means for the hotel: the words of the calls that would tell
    it to a PBX that knows everything before it. Pure.
    """
    came_from = {was.stay: room for room, was in before.items() if was.stay is not None}
    here = {now.stay for now in after.values()}
    events = []
    for room, now in after.items():
        was = before[room]
        if now.stay != was.stay:
            if was.stay is not None and was.stay not in here:
                events.append(("check_out", room))
            if now.stay is not None:
                events.append(("move" if now.stay in came_from else "check_in", room))
        elif now.guest != was.guest or now.class_said != was.class_said:
            events.append(("update", room))
        if now.dnd_said > was.dnd_said and now.stay == was.stay:
            events.append(("do_not_disturb", room))
        if now.status_said != was.status_said:
            events.append(("room_status", room))
        if now.wake_ups != was.wake_ups and (now.wake_ups or now.stay == was.stay):
            events.append(("wake_up", room))
    return events
