"""What either side of a Mitel link says at a site."""

from typing import Final

from protocols.samples import BYTES, Sample

OF_PMS: Final = (
    Sample("CHK1, NAM1: check in", ("CHK1 {room:>5}", "NAM1 {name:<21}{room:>5}")),
    Sample("NAM2: another name", ("NAM2 {name:<21}{room:>5}",)),
    Sample("CHK0: check out", ("CHK0 {room:>5}",)),
    Sample("RST1: class of service 1", ("RST1 {room:>5}",)),
    Sample("WKP: wake-up", ("WKP{at:.4}{room:>5}",)),
    Sample("WKP: no wake-up", ("WKP    {room:>5}",)),
    Sample("GRS CHK1 NAM1 END: a resync of one room",
           ("GRS       ", "CHK1 {room:>5}", "NAM1 {name:<21}{room:>5}", "END       ")),
    Sample("AREYUTHERE", ("AREYUTHERE",)),
    *BYTES,
)  # fmt: skip

OF_PBX: Final = (
    Sample("RQINZ: tell me every room", ("RQINZ     ",)),
    Sample("STS2: the maid has cleaned", ("STS2 {room:<5}",)),
    Sample("MW 1: messages wait", ("MW 1 {room:<5}",)),
    Sample("MW 0: no messages wait", ("MW 0 {room:<5}",)),
    *BYTES,
)
