"""What a site may show of itself: versions, certificate, configuration. Nothing secret."""

import platform
from dataclasses import asdict
from datetime import datetime

from gateway import __version__
from gateway.config import Config


def about(config: Config, certificate_ends: datetime | None) -> dict[str, dict[str, str]]:
    """Sections of names and values, for people. `certificate_ends`: the UCM's, once it was seen."""
    ends = certificate_ends and certificate_ends.astimezone(config.zone)
    return {
        "Program": {
            "version": __version__,
            "Python": platform.python_version(),
            "machine": f"{platform.node()}, {platform.system()} {platform.release()}",
        },
        "Certificate of the UCM": {
            "trust": config.ucm.tls,
            "pinned fingerprint": config.ucm.fingerprint or "none",
            "expires": f"{ends:%d %B %Y}" if ends else "not seen yet",
        },
        "Configuration": shown(config),
    }


def shown(config: Config) -> dict[str, str]:
    """Every key with its value; secrets are `***`."""
    told = {
        "file": str(config.path),
        "pms.line": str(config.line),
        "fias.lrc (settled)": str(config.lrc),
        "fias.ack (settled)": str(config.ack),
    }
    for name in ("site", "fias", "ucm", "rooms", "capture", "http"):
        for key, value in asdict(getattr(config, name)).items():
            is_secret = "password" in key and not key.endswith("_file") and value is not None
            told[f"{name}.{key}"] = "***" if is_secret else str(value)
    for name in ("class_of_service", "language", "room_status"):
        pairs = getattr(config, name).items()
        told[name] = ", ".join(f"{key} = {value}" for key, value in pairs)
    return told
