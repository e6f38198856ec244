"""What is wrong with a configuration file, and where."""

from miniprom.errors import MinipromError


class ConfigFileError(MinipromError, ValueError):
    """A configuration that can't be loaded; the text begins with `file:line:`."""
