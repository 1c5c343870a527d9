"""The JSON Schema of the study file, for editors and for `pegbox schema`; validation itself is pydantic's."""

from typing import Any

from pegbox.schemas.study import StudySpec

SCHEMA_FILE = "study.schema.json"


def study_schema() -> dict[str, Any]:
    """The study file as it is written, with a description of each key.

    Differs from the model in two places: parameters stand directly under `space:`, and an editor's `$schema` key is
    allowed.
    """
    schema = StudySpec.model_json_schema()
    _drop_titles(schema)
    schema["$defs"]["Space"] = _space(schema["$defs"]["Space"])
    schema["properties"] = {"$schema": {"type": "string", "description": "This schema."}, **schema["properties"]}
    # pydantic's validators do not show in a JSON Schema: an editor would accept neither or both.
    schema["oneOf"] = [{"required": ["objective"]}, {"required": ["objectives"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pegbox study",
        **schema,
    }


def _space(model: dict[str, Any]) -> dict[str, Any]:
    """Parameters directly under `space:`, beside the reserved words."""
    properties = model["properties"]
    domain = properties.pop("parameters")["additionalProperties"]
    rules = properties["sum"]
    properties["sum"] = {
        "description": rules["description"],
        "anyOf": [rules["items"], {"type": "array", "items": rules["items"]}],
    }
    return {
        "type": "object",
        "description": "The search space: each parameter's name with its domain, beside the reserved words "
        + " and ".join(f"`{name}`" for name in properties)
        + ".",
        "minProperties": 1,
        "properties": properties,
        "additionalProperties": {
            "description": "A range `{min: 1e-5, max: 1e-1, log: true}`, a list of values, or one fixed value.",
            "anyOf": [domain, _group()],
        },
        "examples": [{"lr": {"min": 1e-5, "max": 1e-1, "log": True}, "optimizer": ["adamw", "sgd"], "layers": 3}],
    }


def _group() -> dict[str, Any]:
    """Further parameters whose full names begin with the name of the group."""
    return {
        "type": "object",
        "description": "A group: its parameters are named `group.name`.",
        "required": ["parameters"],
        "properties": {
            "parameters": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/$defs/Space/additionalProperties"},
            },
            "when": {"type": "object", "description": "Active only where each named parameter has this value."},
        },
        "additionalProperties": False,
    }


def _drop_titles(node: Any) -> None:
    """Pydantic's titles only repeat the key; editors show them before the description."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for inner in node.values():
            _drop_titles(inner)
    elif isinstance(node, list):
        for inner in node:
            _drop_titles(inner)
