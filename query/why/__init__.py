"""Why the answer to a query is empty, or NaN: the cause, in words."""

from query.why.finding import Diagnosis, Finding, Kind
from query.why.search import diagnose

__all__ = ["Diagnosis", "Finding", "Kind", "diagnose"]
