"""JSON schemas as llama.cpp is given them: only what its grammars know, and nothing in them without an end.

A small model that loops would otherwise fill a field until its answer is cut off. Answers are checked against the
unchanged schema all the same. Found with xllamacpp 2026.10: a keyword that its grammar does not know silently lifts
the whole constraint, and numbers may grow digits for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_KEPT = frozenset(
    {"type", "enum", "const", "minLength", "minItems", "minimum", "maximum", "required", "additionalProperties"}
)
MOST_ITEMS = 8
UNBOUNDED = 2000  # characters of a string whose schema names no limit
SHORTEST = 120  # characters that every string may have, whatever the answer's limit
CHARACTERS = 3  # a token has about so many
NUMBER = {"minimum": -1e6, "maximum": 1e6, "multipleOf": 1e-6}
INTEGER = {"minimum": -1_000_000, "maximum": 1_000_000}


def bounded(schema: Schema, max_output_tokens: int) -> Schema:
    """The schema in which one of everything fits the answer's limit: long strings are shortened in proportion."""
    defs = schema.get("$defs", {})
    share = min(1.0, CHARACTERS * max_output_tokens / max(1, _size(schema, defs)))
    found = _bounded(schema, share)
    return found | ({"$defs": {name: _bounded(node, share) for name, node in defs.items()}} if defs else {})


def grammar(schema: Schema) -> str:
    """The grammar of exactly the schema's JSON, without white space between its parts."""
    return "%llguidance {}\nstart: %json " + json.dumps(schema | {"x-guidance": {"whitespace_flexible": False}})


def _size(node: Schema, defs: Mapping[str, Schema]) -> int:
    """Characters of the longest strings, one of each."""
    if "$ref" in node:
        return _size(defs[_name(node)], defs)
    if "enum" in node or "const" in node:
        return 0
    if "anyOf" in node:
        return max(_size(choice, defs) for choice in node["anyOf"])
    match node.get("type"):
        case "string":
            return int(node.get("maxLength", UNBOUNDED))
        case "array":
            return _size(node.get("items", {}), defs)
        case "object":
            return sum(_size(value, defs) for value in node.get("properties", {}).values())
    return 0


def _bounded(node: Schema, share: float) -> Schema:
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    if "anyOf" in node:
        return {"anyOf": [_bounded(choice, share) for choice in node["anyOf"]]}
    kept = {key: value for key, value in node.items() if key in _KEPT}
    if "enum" in node or "const" in node:
        return kept
    match node.get("type"):
        case "string":
            return kept | {"maxLength": _length(node, share)}
        case "number":
            return NUMBER | kept
        case "integer":
            return INTEGER | kept
        case "array":
            return kept | {"items": _bounded(node["items"], share), "maxItems": _items(node)}
        case "object":
            return kept | _object(node, share)
    return kept


def _object(node: Schema, share: float) -> Schema:
    required = node.get("required", ())
    properties = {
        name: _bounded(value, share)
        for name, value in node.get("properties", {}).items()
        if name in required or not _free(value)
    }
    return {"properties": properties, "additionalProperties": node.get("additionalProperties", False)}


def _free(node: Schema) -> bool:
    """Whether this is a mapping with keys of the model's own, which has no end; it is left out where it may be."""
    return node.get("type") == "object" and bool(node.get("additionalProperties"))


def _length(node: Schema, share: float) -> int:
    most = int(node.get("maxLength", UNBOUNDED))
    return max(min(most, SHORTEST), int(most * share), int(node.get("minLength", 0)))


def _items(node: Schema) -> int:
    return max(min(int(node.get("maxItems", MOST_ITEMS)), MOST_ITEMS), int(node.get("minItems", 0)))


def _name(node: Schema) -> str:
    return str(node["$ref"]).rpartition("/")[2]
