"""A tree of `yaml_lines` written as YAML again: the same tree gives the same bytes everywhere.

Written here and not by PyYAML, whose line breaks and quotes differ between its versions: the
digest of what is composed is its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from checklists.yaml_lines import Keyed, Listed, Node, Scalar

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]*(\.[A-Za-z0-9_/-]+)*\Z")
_WIDE = 120


def write_yaml(root: Keyed) -> bytes:
    """The tree as UTF-8 YAML, which `read_yaml` reads back to the same but for line numbers."""
    return ("\n".join(_block(root, "")) + "\n").encode()


def write_flow(node: Node) -> str:
    """The node on one line, as it stands within a file."""
    return _flow(node)


def _block(node: Keyed, indent: str) -> Iterator[str]:
    for key, value in node.entries:
        name = f"{indent}{_scalar(key)}:"
        if isinstance(value, Scalar) or _short(value, name):
            yield f"{name} {_flow(value)}"
        elif isinstance(value, Keyed):
            yield name
            yield from _block(value, indent + "  ")
        else:
            yield name
            yield from _members(value, indent + "  ")


def _members(node: Listed, indent: str) -> Iterator[str]:
    for one in node.nodes:
        if not isinstance(one, Keyed) or _short(one, indent + "- "):
            yield f"{indent}- {_flow(one)}"
            continue
        lines = list(_block(one, indent + "  "))
        yield f"{indent}- {lines[0][len(indent) + 2 :]}"
        yield from lines[1:]


def _short(node: Node, before: str) -> bool:
    """Whether a list or mapping goes on the line it begins on."""
    if isinstance(node, Scalar):
        return True
    if not (node.entries if isinstance(node, Keyed) else node.nodes):
        return True
    return len(before) + len(_flow(node)) < _WIDE


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Keyed):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in node.entries) + "}"
    return "[" + ", ".join(_flow(one) for one in node.nodes) + "]"


def _scalar(node: Scalar) -> str:
    return node.text if _PLAIN.match(node.text) else json.dumps(node.text, ensure_ascii=False)
