"""A batch of records on its way to the store."""

from gateway.house import Told
from gateway.pipeline.draft import Draft


def test_a_live_record_of_a_room_counts_before_a_resyncs():
    draft = Draft()
    rooms = Told(rooms=frozenset({"101"}))
    draft.collect(rooms, "GI|RN101|SF|", 1.0, background=True)
    assert draft.causes == {"101": ("GI|RN101|SF|", 1.0, True)}
    draft.collect(rooms, "GC|RN101|", 2.0, background=False)
    draft.collect(rooms, "GI|RN101|SF|", 3.0, background=True)
    assert draft.causes == {"101": ("GI|RN101|SF|", 3.0, False)}
