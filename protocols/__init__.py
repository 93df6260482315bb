"""Wire dialects, sans-IO: bytes and moments in; bytes, events and one deadline out.

Reading order: `errors`, `facts` (what a dialect has to say to a hotel), `session` (the
interface every dialect's link session satisfies), then a dialect from its wire upwards:
`fias/controls`, `framing`, `wire`, `fields`, `records`, `codec`, `acks`, `link`, `session`,
`normalize`.

A dialect is one folder. It offers a `Session` and a `normalize(record) -> tuple[Fact, ...]`;
nothing above this package knows which dialect is spoken. Nothing in here opens, waits, logs
or reads a clock.
"""
