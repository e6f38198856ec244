"""What to say about a token that fits nowhere.

The grammar has rules of the token ERROR where a message knows its context. As yacc does on an error, the
parser's stack is unwound to the innermost state that can shift it, so that the messages are upstream's.
"""

from collections import Counter
from typing import Any, Final

from lark import Token, UnexpectedToken
from lark.parsers.lalr_analysis import Shift

from query.language.ast import Span
from query.language.functions import AGGREGATORS
from query.language.lexer import FAULT, KEYWORDS
from query.language.literals import quote
from query.language.problem import ProblemError

_DURATION_FORMS: Final = "number, duration, step(), or range()"
CONTEXTS: Final = {
    "subquery_end_error": ' in subquery selector, expected "]"',
    "subquery_step_error": ' in subquery selector, expected number, duration, step(), range(), or "]"',
    "range_end_error": ' in subquery or range, expected ":" or "]"',
    "range_error": f" in subquery or range selector, expected {_DURATION_FORMS}",
    "offset_error": f" in offset, expected {_DURATION_FORMS}",
    "at_error": " in @, expected timestamp",
    "matcher_list_error": ' in label matching, expected "," or "}"',
    "matcher_value_error": " in label matching, expected string",
    "matcher_operator_error": " in label matching, expected label matching operator",
    "matcher_error": ' in label matching, expected identifier or "}"',
    "aggregation_error": " in aggregation",
    "labels_error": ' in grouping opts, expected "("',
    "label_list_error": ' in grouping opts, expected "," or ")"',
    "label_error": " in grouping opts, expected label",
}


def explain(error: UnexpectedToken, text: str) -> ProblemError:
    """The problem behind Lark's error, or one in a part of the query that was complete before it."""
    parser = error.interactive_parser.parser_state
    try:
        _reduce_by_default(parser, error.token.type)
    except ProblemError as earlier:
        return earlier
    if error.token.type == FAULT:
        return ProblemError(str(error.token), Span(error.token.start_pos or 0, len(text)))
    at_end = error.token.type == "$END"
    span = (
        Span(len(text), len(text)) if at_end else Span(error.token.start_pos or 0, error.token.end_pos or 0)
    )
    what = "end of input" if at_end else describe(error.token)
    return ProblemError(f"unexpected {what}{_context(parser)}", span)


def _reduce_by_default(parser: Any, token_type: str) -> None:
    """Completes what stands before the token, as yacc: a state's most frequent reduction is its default.

    It doesn't get so far at a fault of the lexer, unless the state has nothing but that reduction.
    """
    states = parser.parse_conf.parse_table.states
    while True:
        actions = states[parser.position]
        if token_type in actions:
            return
        rules = Counter(rule for action, rule in actions.values() if action is not Shift and rule.expansion)
        if not rules or (token_type == FAULT and rules.total() < len(actions)):
            return
        _reduce(parser, rules.most_common(1)[0][0])


def _reduce(parser: Any, rule: Any) -> None:
    """One reduction, as in lark.parsers.lalr_parser_state.ParserState.feed_token."""
    size = len(rule.expansion)
    children = parser.value_stack[len(parser.value_stack) - size :]
    if size:
        del parser.state_stack[-size:]
        del parser.value_stack[-size:]
    callback = parser.parse_conf.callbacks[rule]
    _, state = parser.parse_conf.parse_table.states[parser.position][rule.origin.name]
    parser.state_stack.append(state)
    parser.value_stack.append(callback(children))


def _context(parser: Any) -> str:
    states = parser.parse_conf.parse_table.states
    for state in reversed(parser.state_stack):
        action, target = states[state].get("ERROR", (None, None))
        if action is Shift:
            _, rule = next(iter(states[target].values()))
            return CONTEXTS[rule.origin.name]
    return ""


def describe(token: Token) -> str:
    """The token in words, as upstream's Item.desc."""
    word = token.lower()
    if token.type in _NAMED:
        shown = token if token.type.endswith("IDENTIFIER") or len(token.encode()) <= 10 else None
        return f"{_NAMED[token.type]} {quote(shown) if shown is not None else quote(token[:10]) + '...'}"
    if word in AGGREGATORS:
        return f"<aggr:{token}>"
    if token.type in _OPERATORS:
        return f"<op:{token}>" if token != "=" else quote(token)
    if word in KEYWORDS and token.type not in _PREPROCESSORS:
        return f"<{token}>"
    return quote(token)


_NAMED: Final = {
    "IDENTIFIER": "identifier",
    "METRIC_IDENTIFIER": "metric identifier",
    "STRING": "string",
    "NUMBER": "number",
    "DURATION": "duration",
}
_OPERATORS: Final = {"SIGN", "ARITHMETIC", "COMPARISON", "SET_OPERATOR", "ATAN2", "MATCH_OPERATOR", "_AT"}
_PREPROCESSORS: Final = {"AT_ANCHOR", "DURATION_VALUE", "DURATION_CHOICE"}
