"""What a service does not bring into an appliance's memory."""

import subprocess
import sys

from gateway.lean import instead, without

HEAVY = {
    "rich": "for coloured tracebacks",
    "pygments": "for httpx's command line",
    "cryptography": "for the end of one certificate",
    "jinja2": "for a console that nobody has opened",
    "httpcore": "for a pool of connections",
    "httpx": "for a digest that only the old API wants",
    "typer": "for the arguments of other commands",
    "prometheus_client.twisted": "for another server",
    "click": "for the command lines of uvicorn and httpx",
    "construct": "for records that the short way does not know",
    "pydantic": "for a file that a child has read",
}


def test_a_service_brings_nothing_that_it_does_not_use():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, gateway.__main__, gateway.serve, gateway.daemon; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert {name: why for name, why in HEAVY.items() if name in told.stdout.split()} == {}


def test_what_is_hidden_is_there_again_afterwards():
    before = dict(sys.modules)
    with without("colorsys", "os"):
        assert sys.modules["os"] is before["os"]  # what is there already stays
    import colorsys

    assert colorsys.rgb_to_hsv


def test_a_front_that_is_not_wanted_is_there_again_afterwards():
    with instead("wave", "Wave_read"):
        import wave as empty

        assert vars(empty)["Wave_read"] is None
    import wave

    assert wave.Wave_read is not None
    with instead("wave", "Wave_read"):  # what is there already stays
        assert sys.modules["wave"] is wave
