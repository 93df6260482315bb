"""What a site's file says, read strictly, as frozen values."""

from gateway.config.file import ConfigError, load
from gateway.config.site_config import Config

__all__ = ["Config", "ConfigError", "load"]
