"""Asks a page a hundred times a second: python -m bench.asker PORT SECONDS.

Prints a line when it has been answered once, and at the end a line for each question: the moment it
was asked in monotonic seconds, and the wait in milliseconds. A process of its own: in the one that
measures, it would wait for others of that process.
"""

import http.client
import sys
from time import monotonic, sleep


def main(port: int, seconds: float) -> None:
    """One connection, one question after the other."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _ask(line)  # the gateway makes its pages when somebody looks for the first time, in a thread
    sys.stdout.write("\n")
    sys.stdout.flush()
    ends = monotonic() + seconds
    waits = []
    while (began := monotonic()) < ends:
        _ask(line)
        waits.append((began, (monotonic() - began) * 1e3))
        sleep(0.01)
    sys.stdout.writelines(f"{began} {wait}\n" for began, wait in waits)


def _ask(line: http.client.HTTPConnection) -> None:
    line.request("GET", "/nothing-here")
    line.getresponse().read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
