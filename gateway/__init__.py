"""pms-gateway: FIAS link records of a hotel's PMS to the PMS API of a Grandstream UCM.

The way of a record through the house, one file a room:

    line/  ->  protocols  ->  pump  ->  intake  ->  house  ->  outbox/  ->  relay  ->  drivers/
"""

__version__ = "0.1.0"
