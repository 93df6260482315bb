"""Our own side: the PMS does everything right."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Layer


@fault("good-frames-refused", Layer.GATEWAY, "The gateway says NAK to frames that are right.")
def _good_frames_refused(sight: Sight) -> Told | None:
    if sight[Mark.OUR_NAK] < 2:
        return None
    return Told(
        "The gateway refuses frames that came undamaged: it cannot put them on disk.",
        "Look at the free space and health of the disk under data_dir, and at the service's log.",
        (Mark.OUR_NAK,),
    )


@fault("slow-gateway", Layer.GATEWAY, "The gateway acknowledges close to the limit of 3 s.")
def _slow_gateway(sight: Sight) -> Told | None:
    if sight[Mark.OUR_SLOW] < 3:
        return None
    return Told(
        "The gateway needs 2 s and more for its ACK, close to the 3 s after which the PMS asks: "
        "the disk is slow.",
        "Put data_dir on a faster disk; see pmsgw_outbox_commit_seconds.",
        (Mark.OUR_SLOW,),
    )
