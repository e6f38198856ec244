"""From the text of `prometheus.yml` to a checked `Config`."""

import glob
import logging
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec
import yaml

from collector.config import GlobalConfig, ScrapeConfig
from collector.errors import ConfigError
from collector.relabel import is_label_name
from collector.schema import Section
from miniprom.config.decode import Decoder, is_null
from miniprom.config.errors import ConfigFileError
from miniprom.config.sections import Config, ScrapeConfigFile

SectionT = TypeVar("SectionT", bound=Section)

_log: Final = logging.getLogger(__name__)

_VARIABLE: Final = re.compile(r"\$(?:\{([^}]*)\}|(\w+|\$))", re.ASCII)


def load_config(file_name: str, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of a file and of those it includes. Raises `ConfigFileError`."""
    return parse_config(read_text(file_name), file_name, environ)


def parse_config(text: str, file_name: str, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of a text; `file_name` stands in messages, and relative names start from its folder.

    Raises `ConfigFileError`.
    """
    decoder = Decoder(file_name, os.path.dirname(file_name))
    config = decode_text(text, Config, decoder, file_name)
    global_ = _finished_global(config.global_, decoder, environ)
    jobs = _jobs(config.scrape_configs, global_, decoder, file_name, {})
    seen = {job.job_name: "main config file" for job in jobs}
    for pattern in config.scrape_config_files:
        for included in sorted(glob.glob(pattern)):
            jobs += _included_jobs(included, global_, seen)
    return msgspec.structs.replace(config, global_=global_, scrape_configs=tuple(jobs))


def _included_jobs(file_name: str, global_: GlobalConfig, seen: dict[str, str]) -> list[ScrapeConfig]:
    decoder = Decoder(file_name, os.path.dirname(file_name))
    section = decode_text(read_text(file_name), ScrapeConfigFile, decoder, file_name)
    return _jobs(section.scrape_configs, global_, decoder, file_name, seen)


def _jobs(
    jobs: Iterable[ScrapeConfig],
    global_: GlobalConfig,
    decoder: Decoder,
    file_name: str,
    seen: dict[str, str],
) -> list[ScrapeConfig]:
    """The jobs with their defaults; `seen` says where each job name was found, and is extended."""
    finished = []
    for position, job in enumerate(jobs):
        path = f"scrape_configs[{position}]"
        if job.job_name in seen:
            message = (
                f'found multiple scrape configs with job name "{job.job_name}", first in {seen[job.job_name]}'
            )
            raise decoder.error(path, message, "job_name")
        seen[job.job_name] = file_name
        try:
            finished.append(job.with_defaults(global_))
        except ConfigError as error:
            raise decoder.error(path, str(error), error.key) from error
    return finished


def _finished_global(global_: GlobalConfig, decoder: Decoder, environ: Mapping[str, str]) -> GlobalConfig:
    """With variables of the environment put into the external labels, and only there, as upstream does."""
    scheme = global_.metric_name_validation_scheme or "utf8"
    for name in global_.external_labels:
        if not is_label_name(name, scheme):
            raise decoder.error("global.external_labels", f'"{name}" is not a valid label name', name)
    labels = {name: _expand(value, environ) for name, value in global_.external_labels.items()}
    return msgspec.structs.replace(global_, external_labels=labels)


def _expand(text: str, environ: Mapping[str, str]) -> str:
    """`$name` and `${name}` from the environment, "" where it has none; `$$` is a dollar sign."""
    return _VARIABLE.sub(
        lambda match: "$" if match[2] == "$" else environ.get(match[1] or match[2] or "", ""), text
    )


def decode_text(text: str, section: type[SectionT], decoder: Decoder, file_name: str) -> SectionT:
    """The section that a YAML text holds. Raises `ConfigFileError`."""
    node = _compose(text, file_name)
    value: Any = section() if node is None or is_null(node) else decoder.decode(node, section, "")
    return value  # type: ignore[no-any-return]  # decode() answers with the type it was asked for


def _compose(text: str, file_name: str) -> yaml.Node | None:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_node() if loader.check_node() else None
        if loader.check_node():
            _log.warning("%s: only the first YAML document is read", file_name)
        if node is not None:
            _merge(loader, node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigFileError(f"{file_name}:{mark.line + 1 if mark else 1}: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"character U+{error.character:04X} is not allowed in YAML"
        raise ConfigFileError(f"{file_name}:{line}: {message}") from error
    except RecursionError as error:
        raise ConfigFileError(
            f"{file_name}:1: an alias refers to itself, or values nest too deeply"
        ) from error
    return node


def _merge(loader: yaml.SafeLoader, node: yaml.Node) -> None:
    """Resolve `<<: *anchor` wherever it stands."""
    if isinstance(node, yaml.MappingNode):
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            own = [pair for pair in node.value if pair[0].tag != "tag:yaml.org,2002:merge"]
            overridden = {key.value for key, _ in own}
            loader.flatten_mapping(node)
            merged = [pair for pair in node.value if pair not in own and pair[0].value not in overridden]
            node.value = merged + own
        children = [value for _, value in node.value]
    else:
        children = node.value if isinstance(node, yaml.SequenceNode) else []
    for child in children:
        _merge(loader, child)


def read_text(file_name: str) -> str:
    """The text of a file. Raises `ConfigFileError`."""
    try:
        with open(file_name, "rb") as file:
            return file.read().decode()
    except OSError as error:
        raise ConfigFileError(f"{file_name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigFileError(f"{file_name}:{line}: not UTF-8 text") from error
