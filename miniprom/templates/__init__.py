"""Templates of alerts' labels and annotations: Go's text/template with Prometheus's functions."""

from miniprom.templates.errors import TemplateError
from miniprom.templates.execute import expand
from miniprom.templates.template import Template
from miniprom.templates.values import TemplateData

__all__ = ["Template", "TemplateData", "TemplateError", "expand"]
