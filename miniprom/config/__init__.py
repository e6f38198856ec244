"""The configuration file: read, checked, and shown again."""

from miniprom.config.errors import ConfigFileError
from miniprom.config.load import load_config, parse_config
from miniprom.config.render import render_config
from miniprom.config.sections import Config
from miniprom.config.warnings import warnings_of

__all__ = ["Config", "ConfigFileError", "load_config", "parse_config", "render_config", "warnings_of"]
