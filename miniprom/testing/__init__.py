"""A Prometheus for tests: `FakePrometheus`, its answers, its generators. Each is imported when it is used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from miniprom.testing.client import FakePrometheus as FakePrometheus
    from miniprom.testing.client import Scraped as Scraped
    from miniprom.testing.client import Snapshot as Snapshot
    from miniprom.testing.errors import QueryError as QueryError
    from miniprom.testing.errors import RefusedError as RefusedError
    from miniprom.testing.errors import ResultError as ResultError
    from miniprom.testing.errors import ServerDiedError as ServerDiedError
    from miniprom.testing.errors import TestingError as TestingError
    from miniprom.testing.errors import UnreachableError as UnreachableError
    from miniprom.testing.generators import counter as counter
    from miniprom.testing.generators import exponential as exponential
    from miniprom.testing.generators import flapping as flapping
    from miniprom.testing.generators import histogram as histogram
    from miniprom.testing.generators import lognormal as lognormal
    from miniprom.testing.generators import noise as noise
    from miniprom.testing.generators import normal as normal
    from miniprom.testing.generators import outage as outage
    from miniprom.testing.generators import ramp as ramp
    from miniprom.testing.generators import sine as sine
    from miniprom.testing.generators import uniform as uniform
    from miniprom.testing.plugin import fixture as fixture
    from miniprom.testing.process import ServerLeakWarning as ServerLeakWarning
    from miniprom.testing.process import ServerProcess as ServerProcess
    from miniprom.testing.prometheus import Prometheus as Prometheus
    from miniprom.testing.results import Matrix as Matrix
    from miniprom.testing.results import Result as Result
    from miniprom.testing.results import Scalar as Scalar
    from miniprom.testing.results import String as String
    from miniprom.testing.results import Vector as Vector
    from miniprom.testing.samples import Samples as Samples
    from miniprom.testing.series import Bucket as Bucket
    from miniprom.testing.series import Histogram as Histogram
    from miniprom.testing.series import Series as Series

_NAMES: Final = {
    "client": "FakePrometheus Scraped Snapshot",
    "errors": "QueryError RefusedError ResultError ServerDiedError TestingError UnreachableError",
    "generators": "counter exponential flapping histogram lognormal noise normal outage ramp sine uniform",
    "plugin": "fixture",
    "process": "ServerLeakWarning ServerProcess",
    "prometheus": "Prometheus",
    "results": "Matrix Result Scalar String Vector",
    "samples": "Samples",
    "series": "Bucket Histogram Series",
}
_HOMES: Final = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
