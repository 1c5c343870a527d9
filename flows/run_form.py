"""The form that Prefect shows for a run of a scheduled study: what can be asked there, and how a study fills it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from pegbox.schemas.space import DrawnPreset
from pegbox.schemas.study import StudySpec

# The deployment's clock is Prefect's own, and is changed on the same page.
CLOCK = frozenset({"cron", "interval", "timezone"})
"""Fields of a schedule that a run does not look at: the form does not show them, and the server refuses them."""


class _OfForm:
    """Leaves out of the JSON schema of a study what has no effect in a run."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        study = handler.resolve_ref_schema(schema)["properties"]
        schedule, space = (_definition(study[name], handler) for name in ("schedule", "space"))
        for field in CLOCK:
            del schedule[field]
        # A name of ours; what pegbox writes down once it has drawn a preset is nothing that a person fills in.
        space["preset"]["anyOf"] = [{"type": "string"}, {"type": "null"}]
        return schema


def _definition(field: Mapping[str, Any], handler: GetJsonSchemaHandler) -> dict[str, Any]:
    """The properties of the schema that a field refers to, itself and no copy."""
    (reference,) = [one["$ref"] for one in (field, *field.get("anyOf", ())) if "$ref" in one]
    properties: dict[str, Any] = handler.resolve_ref_schema({"$ref": reference})["properties"]
    return properties


AskedStudy = Annotated[StudySpec, _OfForm()]
"""A study, as the parameter of a flow."""


def form_of(spec: StudySpec) -> dict[str, Any]:
    """The study as JSON that follows the form's schema; what stands at its default is left out."""
    raw = spec.model_dump(mode="json", exclude_defaults=True)
    rules = spec.space.rules
    parameters = {name: one for name, one in spec.space.model_dump(mode="json").items() if name not in rules}
    if isinstance(spec.space.preset, DrawnPreset):  # its parameters are here, and are not drawn again
        del rules["preset"]
    if "schedule" in raw:
        raw["schedule"] = {name: raw["schedule"][name] for name in raw["schedule"].keys() - CLOCK}
    return {**raw, "space": {"parameters": parameters, **rules}}
