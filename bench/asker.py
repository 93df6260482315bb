"""Asks a page a hundred times a second and says what the waits were: python -m bench.asker PORT SECONDS.

A process of its own: in the one that measures, it would wait for others of that process.
"""

import http.client
import sys
from time import monotonic, perf_counter, sleep


def main(port: int, seconds: float) -> None:
    """One connection, one question after the other; milliseconds, a line each."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    ends = monotonic() + seconds
    waits = []
    while monotonic() < ends:
        began = perf_counter()
        line.request("GET", "/nothing-here")
        line.getresponse().read()
        waits.append((perf_counter() - began) * 1e3)
        sleep(0.01)
    sys.stdout.write("\n".join(map(str, waits)))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
