"""Templates of alerts' labels and annotations: Go's text/template with Prometheus's functions."""

from miniprom.templates.choices import Choice, choices_of
from miniprom.templates.errors import TemplateError
from miniprom.templates.execute import expand
from miniprom.templates.template import Template
from miniprom.templates.values import TemplateData

__all__ = ["Choice", "Template", "TemplateData", "TemplateError", "choices_of", "expand"]
