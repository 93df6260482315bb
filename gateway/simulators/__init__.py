"""The two peers of the gateway, for demos, tests and a technician's bench.

They are strict: they refuse what the real ones would refuse. `hotel` is what the simulated PMS
means; it knows nothing of the gateway's own house.
"""
