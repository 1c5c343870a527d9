"""Ends a study in a model: that of the winner's best seed, or one that is trained on all rows that are not held out."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pegbox.datasets.prepared import read_understanding
from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows.held_out_test import begin_whole, best_replicate, train_and_test, train_whole, winning_segments
from pegbox.flows.segment_tasks import SegmentTasks
from pegbox.models.artefact import open_artefact
from pegbox.models.write_model import ModelRequest, Unseen, write_model
from pegbox.schemas.base import Metrics
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import ModelError, TrialError
from pegbox.schemas.events import ModelMade
from pegbox.schemas.history import History
from pegbox.schemas.model import FORMAT, Lineage, ModelCard
from pegbox.schemas.plan import EPOCHS, TRAINED_AGAIN
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import ModuleTrain, SklearnTrain, TorchTrain, TrainSpec
from pegbox.schemas.trial import Segment, TrainedSegment
from pegbox.storage.model_files import LATEST, model_path, put_under
from pegbox.storage.study_log import StudyLog
from pegbox.tasks.prepare_data import prepare_all_rows


def make_model(
    study: StudyLog, tasks: SegmentTasks, segmenting: SegmentPlan, selection: Selection, *, is_news: bool
) -> None:
    """Make the model of an answer, unless the study has it already, and record it.

    A study whose winner left nothing that can be kept ends without a model; the history says why, once an answer.

    Raises:
        DataError: The source changed since the study began, and the model was to be trained on all of its rows.
        StoreUnwritableError: The disk is full or fails.
    """
    spec, name = study.history.spec, study.history.spec.name
    segments = winning_segments(selection, study.history, segmenting)
    others = _others(study.history, selection, segmenting) if spec.final == "ensemble" else ()
    recipe = _recipe(spec, (*segments, *others), selection, tasks.data)
    latest = model_path(study.store, name, LATEST)
    if _recipe_of(latest) == recipe:
        return
    if selection.checkpoint is None:
        _record_none(study, is_news, "The training left no checkpoint: there is nothing to keep.")
        return
    segment, checkpoint, data, metrics = segments[0], selection.checkpoint, tasks.data, selection.test_metrics
    path = model_path(study.store, name, study.run)
    try:
        on_all = None
        if spec.final in TRAINED_AGAIN:
            segment = refit_segment(segment, [train_and_test(one, tasks)[0] for one in segments])
            # Begun first and waited for last: both are trained at the same time where there are workers.
            on_all = _begin_on_all(study, tasks, segment)
            trained, data, metrics = _refit(study, tasks, segment)
            checkpoint = trained.checkpoint or checkpoint
        card = _card(spec, segment, selection, data, metrics)
        unseen = _unseen(segment, checkpoint, data) or _unseen_before(segments[0], selection.checkpoint, tasks.data)
        if on_all is not None:
            # After the card, whose metrics are of a training without the held-out rows.
            trained, data = on_all()
            unseen = replace(unseen, told=f"{unseen.told}, by the same training without them") if unseen else None
            checkpoint = trained.checkpoint or checkpoint
            card = card.model_copy(update={"n_rows": card.n_rows | {"train": data.n_rows["train"]}})
        request = ModelRequest(
            path=path,
            segment=segment,
            checkpoint=checkpoint,
            data=data,
            final=spec.final,
            recipe=recipe,
            card=card,
            lineage=_lineage(segment, data, study.versions),
            unseen=unseen,
            others=_trained(others, tasks),
        )
        record = tasks.crew.call(write_model, request)
    except (TrialError, ModelError) as error:
        _record_none(study, is_news, error.failure.message if isinstance(error, TrialError) else str(error))
        return
    # First recorded, then shown: what `latest` leads to is in the history.
    shown = record.model_copy(update={"path": str(path.relative_to(study.store.root))})
    study.report(ModelMade(study=name, run=study.run, model=shown))
    put_under(path, latest)


def _record_none(study: StudyLog, is_news: bool, reason: str) -> None:
    if is_news:
        study.report(ModelMade(study=study.history.spec.name, run=study.run, reason=reason[:1000]))


def _refit(study: StudyLog, tasks: SegmentTasks, segment: Segment) -> tuple[TrainedSegment, PreparedData, Metrics]:
    """The winner trained on all rows that are not held out, and measured on those that are."""
    whole = prepare_all_rows(study.history.spec, study.store)
    tasks.crew.prepare(segment, whole)
    trained, evaluation = train_and_test(segment, SegmentTasks(study, tasks.crew, whole, tasks.order))
    return trained, whole, evaluation.metrics if evaluation else {}


def _begin_on_all(
    study: StudyLog, tasks: SegmentTasks, segment: Segment
) -> Callable[[], tuple[TrainedSegment, PreparedData]] | None:
    """The refit once more, with the rows that it is measured on; what is given waits for it.

    None where the study does not ask for it, or holds no rows out.
    """
    if study.history.spec.final != "all" or tasks.data is None or not tasks.data.has_test:
        return None
    every = prepare_all_rows(study.history.spec, study.store, "all")
    tasks.crew.prepare(segment, every)
    ended = begin_whole(segment, SegmentTasks(study, tasks.crew, every, tasks.order))
    return lambda: (ended(), every)


def refit_segment(segment: Segment, trained: list[TrainedSegment]) -> Segment:
    """What trains the model on all rows.

    It visits its rows as often as the winner did: with patience to the epoch that was best on the validation rows (the
    mean over folds), without it to the end. More rows make more steps of as many epochs, which is the second of the two
    ways that Goodfellow, Bengio & Courville 2016, section 7.8, give; patience has nothing left to watch.
    """
    # On all rows, whatever part of them the search was content with.
    train, epochs = segment.train, segment.to_budget if segment.fidelity == EPOCHS else segment.train.epochs
    if isinstance(train, TorchTrain | ModuleTrain) and train.patience is not None:
        epochs = max(1, round(sum(_best_epoch(one) for one in trained) / len(trained)))
        train = train.model_copy(update={"patience": None})
    return segment.model_copy(
        update={"train": train, "to_budget": epochs, "fidelity": EPOCHS, "fold": 0, "is_model": True}
    )


def _best_epoch(trained: TrainedSegment) -> int:
    losses = {report.step: report.metrics["val_loss"] for report in trained.reports if "val_loss" in report.metrics}
    return min(losses, key=lambda step: losses[step]) if losses else trained.budget


def _others(history: History, selection: Selection, segmenting: SegmentPlan) -> tuple[Segment, ...]:
    """The best fresh seed of each finalist that did not win and keeps the constraints; with folds that of the first."""
    trials = [one.trial for one in selection.finalists if one.trial != selection.winner and one.is_feasible]
    return tuple(
        best_replicate(history.trials[trial], history, segmenting)[0]
        for trial in trials
        if history.trials[trial].replicates
    )


def _trained(others: tuple[Segment, ...], tasks: SegmentTasks) -> tuple[tuple[Segment, Path], ...]:
    """Each with its checkpoint; those that left none cannot take part."""
    found = [(segment, train_whole(segment, tasks).checkpoint) for segment in others]
    return tuple((segment, checkpoint) for segment, checkpoint in found if checkpoint is not None)


def _unseen(segment: Segment, checkpoint: Path, data: PreparedData | None) -> Unseen | None:
    """The rows that the model itself did not learn from; None where there are none."""
    if data is None:
        return None
    if data.has_test:
        return Unseen(segment, checkpoint, data, "test", "on the rows that were held out")
    if segment.is_model:  # it learned from all
        return None
    return Unseen(segment, checkpoint, data, "valid", "on the validation rows, by which it was chosen")


def _unseen_before(segment: Segment, checkpoint: Path, data: PreparedData | None) -> Unseen | None:
    """The validation rows with the weights of before they were learned from as well."""
    told = "on the validation rows, by the winner before it was trained on these as well"
    return Unseen(segment, checkpoint, data, "valid", told) if data is not None else None


def _recipe(spec: StudySpec, segments: tuple[Segment, ...], selection: Selection, data: PreparedData | None) -> str:
    """Equal where the model, and all that its card says, would come out the same."""
    content = {
        "format": FORMAT,
        "final": spec.final,
        "segments": [segment.content_key(data.fingerprint if data else "") for segment in segments],
        "selection": selection.model_dump(mode="json", exclude={"checkpoint"}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _recipe_of(path: Path) -> str | None:
    """The recipe of a model that is there; None where there is none that can be read."""
    try:
        with open_artefact(path) as artefact:
            return artefact.manifest.recipe
    except ModelError:
        return None


def _lineage(segment: Segment, data: PreparedData | None, versions: dict[str, str]) -> Lineage:
    return Lineage(
        study=segment.study,
        trial=segment.trial,
        replicate=segment.replicate,
        seed=segment.seed,
        epochs=segment.to_budget if segment.fidelity == EPOCHS else segment.train.epochs,
        data_fingerprint=data.fingerprint if data else None,
        code=segment.code,
        versions=versions,
    )


def _card(
    spec: StudySpec, segment: Segment, selection: Selection, data: PreparedData | None, metrics: Metrics
) -> ModelCard:
    best = selection.best
    return ModelCard(
        title=_title(spec, segment, data),
        n_rows={part: count for part, count in data.n_rows.items() if part != "valid"} if data else {},
        metric=selection.metric,
        goal=selection.goal,
        expected=best.expected,
        interval=best.interval,
        test_metrics=metrics,
        limits=tuple(_limits(spec, selection, data, metrics)),
    )


def _of_time(spec: StudySpec, selection: Selection, metrics: Metrics) -> Iterator[str]:
    """What the interval cannot hold: rows of other times than those that the value was measured on."""
    held_out = f"test_{selection.metric.removeprefix('val_')}"
    if spec.data is not None and spec.data.split.time and held_out in metrics:
        yield (
            "Its rows follow each other in time, and its expected value is of earlier ones: on the latest, which were "
            f"held out, {held_out} was {metrics[held_out]:.4g}. Expect of later rows what these say."
        )


def _title(spec: StudySpec, segment: Segment, data: PreparedData | None) -> str:
    if data is None or spec.train.brings_data:
        return f"model of the study {spec.name!r}: what a {spec.train.kind} left behind"
    what = f"one of {len(data.classes)} classes" if data.classes else "a number"
    return f"model of the study {spec.name!r}: predicts {what} from {_inputs(data)} ({_kind(segment.train)})"


def _inputs(data: PreparedData) -> str:
    if data.shape is not None and not data.numeric:
        return f"arrays of {' × '.join(map(str, data.shape))}"
    n_columns = sum(not name.endswith(" is missing") for name in data.numeric) + len(data.categorical)
    return f"{n_columns} column{'' if n_columns == 1 else 's'}"


def _kind(train: TrainSpec) -> str:
    """Of what was trained: in a study of families that of the winner."""
    return f"{train.estimator.partition(':')[2]}" if isinstance(train, SklearnTrain) else f"kind {train.kind}"


def _limits(spec: StudySpec, selection: Selection, data: PreparedData | None, metrics: Metrics) -> list[str]:
    limits = [*_of_time(spec, selection, metrics)]
    if selection.best.interval is None:
        limits.append("One seed was trained, so that nobody knows how much the value varies.")
    if data is not None and not data.has_test:
        limits.append("No rows were held out: its value was measured on rows that chose it, and is optimistic.")
    if spec.final in TRAINED_AGAIN:
        limits.append(
            "It learned from the validation rows too: the expected value was measured on trainings without them."
        )
        if spec.final == "all" and data is not None and data.has_test:
            limits.append(
                "It learned from the held-out rows too: its metrics on them are of the same training without them."
            )
    elif data is not None and data.n_folds > 1:
        limits.append(f"It is the first of {data.n_folds} folds and did not see its validation rows.")
    understood = read_understanding(data.path) if data is not None else None
    if understood is not None:
        limits += [
            *understood.warnings,
            *(f"{one.column!r} all but gives the target away." for one in understood.leaks),
        ]
    return limits
