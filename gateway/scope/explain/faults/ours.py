"""Our own side: the PMS does everything right."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.table import row
from gateway.scope.explain.values import Layer, Speech

row(
    "good-frames-refused", Layer.GATEWAY, "The gateway says NAK to frames that are right.",
    Mark.OUR_NAK, at_least=2,
    words="The gateway refuses frames that came undamaged: it cannot put them on disk.",
    do="Look at the free space and health of the disk under data_dir, and at the service's log.",
)  # fmt: skip

row(
    "slow-gateway", Layer.GATEWAY, "The gateway acknowledges close to the limit of 3 s.",
    Mark.OUR_SLOW, at_least=3, speech=Speech.ANY,
    words="The gateway needs 2 s and more for its ACK, close to the 3 s after which the PMS asks: "
    "the disk is slow.",
    do="Put data_dir on a faster disk; see pmsgw_outbox_commit_seconds.",
)  # fmt: skip
