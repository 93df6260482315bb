"""What a site may show of itself: versions, certificate, configuration. Nothing secret."""

import platform
from datetime import datetime

from pydantic import SecretStr

from gateway import __version__
from gateway.config import Config
from gateway.config.model import File, Section


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
        "fias.lrc (settled)": str(config.guests.lrc),
        "fias.ack (settled)": str(config.guests.ack),
    }
    for name in File.model_fields:
        part = getattr(config, name)
        if isinstance(part, Section):
            told |= {f"{name}.{key}": _shown(key, value) for key, value in part}
        else:
            told[name] = ", ".join(f"{key} = {value}" for key, value in part.items())
    return told


def _shown(key: str, value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, SecretStr) or ("password" in key and not key.endswith("_file")):
        return "***"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
