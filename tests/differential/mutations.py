"""Queries with a fault: a token of a generated query is missing, doubled, another, or in another's place.

Left alone are strings, durations, signs and what stands before these: in 3.x, strings may name labels, and
numbers and durations stand for each other, so that a fault might make a valid query.
"""

import re
from random import Random
from typing import Final

from tests.differential.grammar import generate

_TOKEN: Final = re.compile(r'"[^"]*"|[\w.:]+|[=!~<>]=?~?|\s+|.')
_LEFT_ALONE: Final = re.compile(r'".*"|\d+[smh].*|offset|[-+\[]|\s+')
_WRONG: Final = (
    "(", ")", "]", "{", "}", ",", "==", "=", "by", "on", "@", "up", "sum", "rate", "bool", "and",
    "group_left", "=~", "!", "without ()", "* on () group_right ()",
)  # fmt: skip


def broken(number: int) -> str:
    """The broken query of a number; by chance it may still be valid."""
    random = Random(number)
    tokens: list[str] = _TOKEN.findall(generate(number))
    places = [place for place, token in enumerate(tokens) if not _LEFT_ALONE.fullmatch(token)]
    places = [place for place in places if tokens[place + 1 : place + 3] != [" ", "offset"]] or places
    place = random.choice(places)
    wrong = random.choice(_WRONG)
    match random.choice(("missing", "doubled", "another", "one more", "elsewhere")):
        case "missing":
            tokens[place] = ""
        case "doubled":
            tokens[place] = f"{tokens[place]} {tokens[place]}"
        case "another":
            tokens[place] = wrong
        case "one more":
            tokens[place] = f"{tokens[place]} {wrong} "
        case _:
            other = random.choice(places)
            tokens[place], tokens[other] = tokens[other], tokens[place]
    return "".join(tokens)
