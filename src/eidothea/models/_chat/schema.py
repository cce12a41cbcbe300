"""JSON schemas as OpenAI's strict mode takes them: every field required, nothing extra, no lengths, no defaults."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_KEPT = (
    "type", "description", "enum", "const", "pattern", "format", "minItems", "maxItems",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
)  # fmt: skip


class _Unfit(Exception):
    """Strict mode has no form of this."""


def strict(schema: Schema) -> Schema | None:
    """The schema for strict mode, or None when it has no such form.

    Strict mode cannot say a free mapping. The nearest optional field that holds one inside its objects is left out, as
    an object without its mapping would be half an answer; the answer type has a default for the field.
    """
    return _Strict(schema.get("$defs", {})).whole(schema)


def _free(node: Schema) -> bool:
    return node.get("type") == "object" and "properties" not in node


class _Strict:
    def __init__(self, defs: dict[str, Schema]) -> None:
        self.defs = defs
        self.used: dict[str, Schema] = {}

    def whole(self, schema: Schema) -> Schema | None:
        try:
            body = self._node(schema)
        except _Unfit:
            return None
        return body | ({"$defs": self.used} if self.used else {})

    def _node(self, node: Schema) -> Schema:
        if "$ref" in node:
            return self._reference(node["$ref"])
        choices = node.get("anyOf") or node.get("oneOf")
        kept = {key: node[key] for key in _KEPT if key in node}
        if choices:
            return kept | {"anyOf": [self._node(choice) for choice in choices]}
        if node.get("type") == "object":
            return kept | self._object(node)
        if node.get("type") == "array":
            return kept | {"items": self._items(node)}
        if "allOf" in node or not ({"type", "enum", "const"} & node.keys()):
            raise _Unfit
        return kept

    def _reference(self, reference: str) -> Schema:
        name = reference.rpartition("/")[2]
        if name not in self.used:
            self.used[name] = {}  # a definition may refer to itself
            try:
                self.used[name] = self._node(self.defs[name])
            except _Unfit:
                del self.used[name]
                raise
        return {"$ref": reference}

    def _object(self, node: Schema) -> Schema:
        if node.get("additionalProperties") or "properties" not in node:
            raise _Unfit
        properties = {}
        for name, value in node["properties"].items():
            try:
                properties[name] = self._node(value)
            except _Unfit:
                if name in node.get("required", ()) or _free(value):
                    raise
        return {"properties": properties, "required": list(properties), "additionalProperties": False}

    def _items(self, node: Schema) -> Schema:
        if "prefixItems" in node or not isinstance(node.get("items"), dict):
            raise _Unfit
        return self._node(node["items"])
