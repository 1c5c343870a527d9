"""Makes an ensemble of finalists where it is better than the winner beyond noise; runs in a worker."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pegbox.models.ensemble import Ensemble, EnsemblePredictor, outputs_of, select_ensemble
from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.base import Metrics
from pegbox.schemas.model import EnsembleMember, ModelCard, ModelInputs
from pegbox.schemas.trial import Segment
from pegbox.training.kinds.registry import weights_form_of
from pegbox.training.metrics import classification_metrics, label_metrics, prefixed, regression_metrics
from pegbox.training.model_form import ANYONE, ModelForm, Opened, Predictor


class Candidate(NamedTuple):
    """A trained finalist."""

    segment: Segment
    checkpoint: Path


class Combined(NamedTuple):
    """The outcome of trying an ensemble.

    Attributes:
        predictor: What predicts; None where the winner alone is kept.
        members: With their weights, the winner first where it is one; empty where it alone is kept.
        files: The weights of the members by their names.
        card: That tells of it.
    """

    predictor: Predictor | None
    members: tuple[EnsembleMember, ...]
    files: dict[str, bytes | Path]
    card: ModelCard


class _Opened(NamedTuple):
    segment: Segment
    form: ModelForm
    weights: bytes
    predictor: Predictor


def combine(card: ModelCard, candidates: tuple[Candidate, ...], splits: Splits) -> Combined:
    """Select among the candidates on the validation rows.

    Args:
        card: Of the winner, which is the first candidate.

    Raises:
        TrialError: A checkpoint cannot be read.
        ModelError: Weights cannot be kept without code.
    """
    opened = [_open(one, splits) for one in candidates]
    n_classes = len(splits.info.classes)
    valid = splits.valid
    arrays = np.array(valid.numeric), np.array(valid.categorical)
    outputs = np.stack([outputs_of(one.predictor, *arrays, n_classes) for one in opened])
    found = select_ensemble(outputs, np.array(valid.target))
    told = _told(found, len(opened), n_classes)
    if not found.is_better:
        return Combined(None, (), {}, card.model_copy(update={"limits": (*card.limits, told)}))
    chosen = [(one, weight) for one, weight in zip(opened, found.weights, strict=True) if weight]
    names = [f"{place}-{one.form.member}" for place, (one, _) in enumerate(chosen)]
    predictor = EnsemblePredictor([one.predictor for one, _ in chosen], [weight for _, weight in chosen], n_classes)
    members = tuple(
        EnsembleMember(
            trial=one.segment.trial,
            configuration=dict(one.segment.configuration),
            weight=weight,
            member=name,
            train=one.segment.train,
        )
        for (one, weight), name in zip(chosen, names, strict=True)
    )
    files: dict[str, bytes | Path] = {name: one.weights for (one, _), name in zip(chosen, names, strict=True)}
    measured = _measured(predictor, splits.test, splits) if splits.test is not None else {}
    return Combined(
        predictor, members, files, card.model_copy(update={"test_metrics": measured, "limits": (*card.limits, told)})
    )


def _open(one: Candidate, splits: Splits) -> _Opened:
    form = weights_form_of(one.segment.train)
    weights, inputs = form.pack(one.segment, one.checkpoint, splits)
    return _Opened(one.segment, form, weights, open_packed(form, one.segment, weights, inputs))


def open_packed(form: ModelForm, segment: Segment, weights: bytes, inputs: ModelInputs) -> Predictor:
    """Who predicts with weights that this process has just packed.

    Raises:
        ModelError: They cannot be opened.
    """
    return form.open(Opened(weights, segment.train, segment.configuration, inputs, device="cpu", trusted=ANYONE))


def _told(found: Ensemble, n_tried: int, n_classes: int) -> str:
    loss = "cross-entropy" if n_classes else "squared error"
    between = f"{found.gain:.4g} ({found.interval.low:.4g} to {found.interval.high:.4g})"
    if found.is_better:
        n_members = sum(weight > 0 for weight in found.weights)
        return (
            f"It is an ensemble of {n_members} of {n_tried} finalists: its {loss} on validation rows that did not "
            f"select it is lower than the winner's by {between}."
        )
    return (
        f"An ensemble of {n_tried} finalists is not better than the winner beyond noise: its {loss} is lower by "
        f"{between}. The model is the winner."
    )


def _measured(predictor: Predictor, rows: Part, splits: Splits) -> Metrics:
    """The metrics of the task on the held-out rows, as trainers measure them."""
    arrays, target = (np.array(rows.numeric), np.array(rows.categorical)), np.array(rows.target)
    n_classes = len(splits.info.classes)
    if not n_classes:
        _, scale = splits.target_scale
        return _finite(
            prefixed("test", regression_metrics(predictor.predict(*arrays), target.astype(np.float64), scale))
        )
    codes = target.astype(np.int64)
    if not predictor.has_probabilities:
        return _finite(prefixed("test", label_metrics(predictor.predict(*arrays).astype(np.int64), codes, n_classes)))
    probabilities = np.clip(predictor.predict_proba(*arrays), np.finfo(np.float32).eps, 1)
    return _finite(prefixed("test", classification_metrics(np.log(probabilities), codes)))


def _finite(metrics: dict[str, float]) -> Metrics:
    return {name: value for name, value in metrics.items() if np.isfinite(value)}
