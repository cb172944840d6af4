"""Regular expressions that are safe to run on whatever a client sends."""

from __future__ import annotations

import re

from mockserver.model import regex
from mockserver.model.regex import Character, Group, Node, Nodes, Repeat, children

SEARCH_LIMIT = 10_000  # characters of a text; beyond that even harmless expressions take noticeable time


def compile_pattern(text: str) -> re.Pattern[str]:
    """A regular expression for `search` in the first `SEARCH_LIMIT` characters of a text.

    Raises ValueError for an invalid one, and for one whose nested repeats can take a time that doubles with every character:
    a repeat inside an endless repeat is allowed only where a fixed character begins or ends each round of the outer one.
    """
    try:
        pattern = re.compile(text)
        explosive = any(map(_is_explosive, regex.read(pattern)))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    if explosive:
        raise ValueError(
            f"{text!r} nests repeats so that matching may never end; begin or end the outer group with a fixed character"
        )
    return pattern


def _is_explosive(nodes: Nodes) -> bool:
    return any(_explodes(node) or any(map(_is_explosive, children(node))) for node in nodes)


def _explodes(node: Node) -> bool:
    if not (isinstance(node, Repeat) and _is_endless(node)):
        return False
    return _can_backtrack((node.node,)) and not (_is_fixed((node.node,), 0) or _is_fixed((node.node,), -1))


def _is_endless(node: Repeat) -> bool:
    return node.most is None and not node.possessive


def _can_backtrack(nodes: Nodes) -> bool:
    """Whether an endless repeat stands anywhere inside, where matching can come back to it."""
    for node in nodes:
        if isinstance(node, Repeat) and _is_endless(node):
            return True
        if not (isinstance(node, Group) and node.atomic) and any(map(_can_backtrack, children(node))):
            return True
    return False


def _is_fixed(nodes: Nodes, end: int) -> bool:
    """Whether the first (0) or last (-1) node of a sequence matches exactly one character."""
    if not nodes:
        return False
    node = nodes[end]
    if isinstance(node, Group) and not node.atomic:
        return all(_is_fixed(alternative, end) for alternative in node.alternatives)
    return isinstance(node, Character)
