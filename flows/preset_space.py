"""Draws the preset of a study into its space: once, when the study begins, then as its history has it."""

from pathlib import Path

from pegbox.analysis.narrowing import MIN_STUDIES, best_configurations, narrow
from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.preset_space import draw
from pegbox.schemas.space import DrawnPreset
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CommandTrain, CustomTrain, FunctionTrain, SklearnTrain
from pegbox.schemas.warm_start import PastStudy
from pegbox.storage.layout import StoreLayout
from pegbox.storage.past_studies import past_history, past_studies

# Picked by hand: each history is read at the start, and older studies are of older data and code.
MOST_STUDIES = 16
"""Earlier studies that are listened to, the latest."""


def draw_space(spec: StudySpec, root: Path) -> StudySpec:
    """The study with its preset drawn into its space; as it is where nothing is to be drawn.

    A study that the store holds already keeps the space that it was begun with. A new one has the published ranges,
    narrowed around the best of earlier studies of the same kind once there are three of them.
    """
    if not isinstance(spec.space.preset, str):
        return spec
    store = StoreLayout(root.absolute())
    try:
        past = past_studies(store)
    except NotFoundError:
        past = ()
    begun = next((one.spec for one in past if one.spec.name == spec.name), None)
    if begun is not None and _is_drawn_from(spec, begun):
        return StudySpec.model_validate({**dict(spec), "space": begun.space})
    alike = [one for one in past if one.spec.name != spec.name and _model(one.spec) == _model(spec)][:MOST_STUDIES]
    best = _best(store, alike, spec.name)
    if len(best) < MIN_STUDIES:
        return draw(spec, {}, ())
    return draw(spec, narrow(spec.space.published, list(best.values())), tuple(best))


def _best(store: StoreLayout, alike: list[PastStudy], learner: str) -> dict[str, Configuration]:
    """The best configurations of earlier studies, by their names; nothing of trials is read where they are too few."""
    if len(alike) < MIN_STUDIES:
        return {}
    return best_configurations([past_history(store, one.pinned, learner) for one in alike])


def _is_drawn_from(spec: StudySpec, begun: StudySpec) -> bool:
    """True if a study began with this preset, and the file still says the same beside it."""
    written = spec.space.parameters
    return (
        isinstance(begun.space.preset, DrawnPreset)
        and begun.space.preset.kind == spec.space.preset
        and begun.space.forbid == spec.space.forbid
        and all(begun.space.parameters.get(name) == domain for name, domain in written.items())
    )


def _model(spec: StudySpec) -> tuple[object, ...]:
    """Equal for studies that tune the same kind of model."""
    match spec.train:
        case SklearnTrain(estimator=estimator):
            return "sklearn", estimator
        case FunctionTrain(function=function):
            return "function", function
        case CommandTrain(command=command):
            return "command", *command
        case CustomTrain(trainer=trainer):
            return "custom", trainer
        case _:
            return (spec.train.kind,)
