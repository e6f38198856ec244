"""The built-in sink: who is told of alerts where there is no Alertmanager."""

from miniprom.notify.sink.config import SinkConfig, load_sink_config
from miniprom.notify.sink.sink import Sink

__all__ = ["Sink", "SinkConfig", "load_sink_config"]
