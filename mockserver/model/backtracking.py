"""Regular expressions whose matching can take a time that doubles with every character of a text."""

from __future__ import annotations

import re

from mockserver.model import regex
from mockserver.model.regex import Character, Group, Node, Nodes, Repeat, children


def is_explosive(pattern: re.Pattern[str]) -> bool:
    """Whether repeats are nested so that matching may never end.

    A repeat inside an endless repeat is harmless only where a fixed character begins or ends each round of the outer one.
    """
    return any(map(_is_explosive, regex.read(pattern)))


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
