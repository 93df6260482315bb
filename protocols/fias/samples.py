"""What either side of a FIAS link says at a site."""

from typing import Final

from protocols.samples import BYTES, Sample

_STAMP: Final = "DA{day}|TI{time}|"
_GUEST: Final = "GI|RN{room}|G#{guest}|GN{name}|GSN|"
OF_PMS: Final = (
    Sample("LS: the link starts again", (f"LS|{_STAMP}",)),
    Sample("LA: the link is alive", (f"LA|{_STAMP}",)),
    Sample("GI: check in", (_GUEST,)),
    Sample("GC: another name", ("GC|RN{room}|G#{guest}|GN{name}|GSN|",)),
    Sample("GC with RO: room move", ("GC|RO{room}|GSN|RN{to}|GSN|G#{guest}|GN{name}|",)),
    Sample("GO: check out", ("GO|RN{room}|G#{guest}|GSN|",)),
    Sample("RE: do not disturb, on", ("RE|RN{room}|DNY|",)),
    Sample("RE: do not disturb, off", ("RE|RN{room}|DNN|",)),
    Sample("WR: wake-up", ("WR|RN{room}|DA{day}|TI{at}|",)),
    Sample("DS GI DE: a resync of one room", (f"DS|{_STAMP}", _GUEST, f"DE|{_STAMP}")),
    Sample("LE: the link ends", (f"LE|{_STAMP}",)),
    *BYTES,
)

OF_PBX: Final = (
    Sample("DR: tell me every room", (f"DR|{_STAMP}",)),
    Sample("RE: the maid has cleaned", ("RE|RN{room}|RS3|",)),
    Sample("WR: a wake-up set at the phone", ("WR|RN{room}|DA{day}|TI{at}|",)),
    Sample("WA: a wake-up was answered", (f"WA|RN{{room}}|{_STAMP}ASOK|",)),
    Sample("PS: a call of 60 s", (f"PS|RN{{room}}|PTC|TA100|DU000100|P#1|{_STAMP}",)),
    *BYTES,
)
