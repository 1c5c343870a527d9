"""Everything that is wrong with a study before it runs: gathers what each room checks; loads no Prefect, no torch."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pegbox.datasets.check import check_data
from pegbox.datasets.watched import check_watched, look_at_watched
from pegbox.integrations.trackers import missing_tracker
from pegbox.report.check_cluster import check_cluster
from pegbox.report.check_ranks import check_ranks
from pegbox.report.data_summary import understand_prepared
from pegbox.schemas.domains import Constant
from pegbox.schemas.errors import DataError, Problem
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.preset_space import draw_published
from pegbox.schemas.secret_texts import masked_secret
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.understanding import DataUnderstanding
from pegbox.search.methods import check_search
from pegbox.training.check_prepared import check_prepared
from pegbox.training.kinds.registry import check_training, training_warnings


def check_study(spec: StudySpec) -> tuple[Problem, ...]:
    """Problems in the order of a study file; empty where the study can run, as far as this can be told before it does.

    Reads the header of the data and imports what the study names by import path; trains and writes nothing. Of a preset
    it sees the published ranges: those that the history narrows lie within them.
    """
    if problem := _misfit_preset(spec):
        # Alone: with the preset of another kind every further problem would be about parameters that nobody asked
        # for.
        return (problem,)
    # Presets stand for parameters, and what checks a space must see these.
    spec = draw_published(spec)
    return (
        *(check_data(spec.data) if spec.data else ()),
        *check_training(spec),
        *check_search(spec),
        *check_schedule(spec),
        *check_cluster(spec.run),
        *check_ranks(spec),
        *check_trackers(spec.run),
        *check_secrets(spec),
    )


def check_trackers(run: RunSpec) -> tuple[Problem, ...]:
    """Trackers that are not installed."""
    lacking = [missing_tracker(name) for name in run.track]
    return tuple(Problem(message, ("run", "track")) for message in lacking if message)


def study_warnings(spec: StudySpec) -> tuple[Problem, ...]:
    """What a study may say, and what is more often than not a mistake: worth a look before a night is spent on it."""
    return training_warnings(draw_published(spec))


def check_secrets(spec: StudySpec) -> tuple[Problem, ...]:
    """Where the study holds what looks like a secret: all of it is stored, shown, and handed to Prefect."""
    content = spec.model_dump(mode="json", exclude={"space"})
    constants = {name: one.value for name, one in spec.space.parameters.items() if isinstance(one, Constant)}
    advice = "In a command write ${env:NAME} for it, and set NAME where the trials run; leave it out elsewhere."
    return tuple(
        Problem(f"{found!r} looks like a secret, and a study is stored and shown. {advice}", path)
        for path, texts in (*_texts(content), *_texts(constants, ("space",)))
        if (found := masked_secret(texts))
    )


def _texts(content: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], list[str]]]:
    """The texts of a tree with the way to each; those of a list together, as arguments of one command."""
    match content:
        case Mapping():
            for name, entry in content.items():
                yield from _texts(entry, (*at, name))
        case str():
            yield at, [f"{at[-1]}={content}"]
        case list():
            yield at, [entry for entry in content if isinstance(entry, str)]
            for place, entry in enumerate(content):
                if not isinstance(entry, str):
                    yield from _texts(entry, (*at, place))


def check_schedule(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with the study as one that tunes itself again."""
    if spec.schedule is None or len(spec.goals) == 1:
        return check_watched(spec)
    message = f"a schedule judges an incumbent by one objective, got {len(spec.goals)}. Leave the schedule out."
    return (Problem(message, ("schedule",)),)


def look_at_data(spec: StudySpec) -> tuple[tuple[Problem, ...], DataUnderstanding | None]:
    """Problems that only the whole data can show, such as a target of one class; else what it was taken for.

    Prepares it for nobody else. None where the study names no data.
    """
    from pegbox.datasets.prepare import prepare

    if spec.data is None:
        return (), None
    # Not in the store: `validate` promises to write nothing.
    with TemporaryDirectory(prefix="pegbox-") as folder:
        try:
            data = prepare(spec.data, spec.task, Path(folder))
        except DataError as error:
            return error.problems, None
        return check_prepared(spec, data), understand_prepared(data)


def check_all(spec: StudySpec) -> tuple[tuple[Problem, ...], DataUnderstanding | None]:
    """Everything that is wrong with a study and with its data, at once; and what the data was taken for."""
    problems = check_study(spec)
    # Data whose declaration is wrong cannot be prepared; the same fault would be told twice, in other words.
    if any(problem.path[:1] == ("data",) for problem in problems):
        return problems, None
    shown, understood = look_at_data(draw_published(spec))
    shown = (*shown, *look_at_watched(spec))
    # One problem for each place: the cheap check names the cause, what follows from it would only bury that.
    places = {problem.path for problem in problems}
    return (*problems, *(problem for problem in shown if problem.path not in places)), understood


def _misfit_preset(spec: StudySpec) -> Problem | None:
    preset = spec.space.preset
    if not isinstance(preset, str) or not isinstance(spec.train, TorchTrain) or preset == spec.train.kind:
        return None
    message = f"the preset {preset!r} is not for the kind {spec.train.kind!r}. Write `preset: {spec.train.kind}`."
    return Problem(message, ("space", "preset"))
