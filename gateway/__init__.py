"""pms-gateway: FIAS link records of a hotel's PMS to the PMS API of a Grandstream UCM.

The way of a record, from left to right:

    line/ -> protocols -> pipeline/pump -> intake -> house/ -> store/ -> pipeline/relay -> drivers/
"""

__version__ = "0.1.0"
