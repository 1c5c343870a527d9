import numpy as np
import pytest

from pegbox.report import explain
from pegbox.report.explain import explain_study
from pegbox.report.study_reader import study_status
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import DecisionMade, RunStarted, TrialEvaluated
from pegbox.schemas.overrides import override
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.storage.amending import amend_study
from pegbox.storage.same_study import changes
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


def write_study(root, name="explained", n_trials=30):
    """A finished search whose loss depends on lr alone."""
    spec = StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": "my_project:train"},
            "space": {"lr": {"min": 1e-5, "max": 1e-1, "log": True}, "width": {"min": 16, "max": 256, "int": True}},
            "objective": {"metric": "loss"},
            "budget": {"trials": n_trials},
        }
    )
    rng = np.random.default_rng(0)
    with open_study(open_store(root), spec, RunStarted(study=name, run="r", host="h", pid=1)) as log:
        for number in range(n_trials):
            configuration = {"lr": float(10 ** rng.uniform(-5, -1)), "width": int(rng.integers(16, 257))}
            loss = (np.log10(configuration["lr"]) + 3) ** 2
            log.record(
                DecisionMade(
                    study=name,
                    number=number,
                    saw=log.history.version,
                    elapsed_seconds=1.0,
                    decision=Start(configuration=configuration, to_budget=1),
                    trial=number,
                    seed=number,
                ),
                TrialEvaluated(
                    study=name,
                    trial=number,
                    evaluation=Evaluation(budget=1, metrics={"loss": float(loss)}, seconds=1.0),
                    state=TrialState.COMPLETED,
                ),
            )
        log.close("completed")


def test_explanation_names_the_knob_that_matters(tmp_path):
    write_study(tmp_path)
    explanation = explain_study(tmp_path, "explained")
    assert explanation.importance.parameters[0].name == "lr"
    assert explanation.n_trials == 30
    assert [effect.name for effect in explanation.effects.parameters] == ["lr", "width"]
    assert explanation.failures is None


def test_trials_outside_a_narrowed_space_are_left_out_and_counted(tmp_path):
    write_study(tmp_path)
    best_before = study_status(tmp_path, "explained").best

    amend_study(
        open_store(tmp_path),
        "explained",
        lambda history: changes(history, override(history.spec, ["space.lr.max=0.0001"]), may_change=("space",)),
    )
    explanation = explain_study(tmp_path, "explained")
    best = study_status(tmp_path, "explained").best

    assert best_before.configuration["lr"] > 0.0001
    assert best.configuration["lr"] <= 0.0001
    assert explanation.n_trials == 30
    assert 0 < explanation.n_outside < 30
    assert explanation.importance.n_trials == 30 - explanation.n_outside


def test_same_version_is_explained_from_the_cache(tmp_path, monkeypatch):
    write_study(tmp_path)
    first = explain_study(tmp_path, "explained")
    monkeypatch.delattr(explain, "explain")  # computing it again would fail
    assert explain_study(tmp_path, "explained") == first


def test_damaged_cache_is_computed_again(tmp_path):
    write_study(tmp_path)
    first = explain_study(tmp_path, "explained")
    (kept,) = (tmp_path / "cache" / "explanations").iterdir()
    kept.write_text("{")
    assert explain_study(tmp_path, "explained") == first


def test_study_of_two_trials_gets_honest_sentences(tmp_path):
    write_study(tmp_path, n_trials=2)
    explanation = explain_study(tmp_path)
    assert explanation.importance.sentence == "2 trials: too few to rank 2 hyperparameters."
    assert explanation.effects.parameters == ()


def test_unknown_study_is_an_error_with_the_nearest_name(tmp_path):
    write_study(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean 'explained'"):
        explain_study(tmp_path, "explaned")
