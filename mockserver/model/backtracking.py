"""How many ways a backtracking matcher of a regular expression can have to try from one place of a text."""

from __future__ import annotations

from math import inf, prod

from mockserver.model.regex import Character, Group, Lookaround, Node, Nodes, Repeat, children


def is_cheap(alternatives: tuple[Nodes, ...], length: int, most: int) -> bool:
    """Whether there are at most so many ways in a text of this length. A single endless repeat has as many as there are characters."""
    return _ways_of_any(alternatives, length) <= most


def _ways_of_any(alternatives: tuple[Nodes, ...], length: int, *, repeated: bool = False) -> float:
    return sum(prod(_ways(node, length, repeated=repeated) for node in nodes) for nodes in alternatives)


def _ways(node: Node, length: int, *, repeated: bool) -> float:
    if isinstance(node, Repeat):
        return _ways_of_repeat(node, length)
    ways = max(1, _ways_of_any(children(node), length, repeated=repeated)) if children(node) else 1
    if isinstance(node, Lookaround) and repeated:
        return ways  # each round looks again
    if isinstance(node, Lookaround) or (isinstance(node, Group) and node.atomic):
        return 1 if ways <= length else inf  # matched once, and not come back to
    return ways


def _ways_of_repeat(node: Repeat, length: int) -> float:
    inner = _ways(node.node, length, repeated=True)
    if node.most is None:
        return (1 if node.possessive else length) if inner == 1 and _is_solid(node.node) else inf
    if node.most > length or (inner > 1 and node.most * inner > length):
        return inf
    return (1 if node.possessive else node.most - node.least + 1) * inner**node.most


def _is_solid(node: Node) -> bool:
    """Whether it matches one character at least, and always as many."""
    if isinstance(node, Group):
        return len(node.alternatives) == 1 and any(map(_is_solid, node.alternatives[0]))
    return isinstance(node, Character) or (isinstance(node, Repeat) and node.least > 0 and _is_solid(node.node))
