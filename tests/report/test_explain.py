import numpy as np
import pytest

from pegbox.report import explain
from pegbox.report.explain import explain_study
from pegbox.report.explanation_cache import MOST_KEPT, ExplanationCache, explained_content
from pegbox.report.study_reader import StudyReader, study_status
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import DecisionMade, RunStarted, TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.overrides import override
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
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
            record_trial(log, number, configuration, loss=float((np.log10(configuration["lr"]) + 3) ** 2))
        log.close("completed")


def record_trial(log, number, configuration, loss):
    name = log.history.spec.name
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
            evaluation=Evaluation(budget=1, metrics={"loss": loss}, seconds=1.0),
            state=TrialState.COMPLETED,
        ),
    )


def first_spec(root):
    with StudyReader(root, "explained") as reader:
        return reader.spec


def test_explanation_names_the_knob_that_matters(tmp_path):
    write_study(tmp_path)
    explanation = explain_study(tmp_path, "explained")
    assert explanation.importance.parameters[0].name == "lr"
    assert explanation.n_trials == 30
    assert [effect.name for effect in explanation.effects.parameters] == ["lr", "width"]
    assert explanation.failures is None


def test_trials_outside_a_narrowed_space_are_left_out_and_counted(tmp_path):
    write_study(tmp_path)
    best_before = study_status(tmp_path, "explained").incumbent

    amend_study(
        open_store(tmp_path),
        "explained",
        lambda history: changes(history, override(history.spec, ["space.lr.max=0.0001"]), may_change=("space",)),
    )
    explanation = explain_study(tmp_path, "explained")
    best = study_status(tmp_path, "explained").incumbent

    assert best_before.configuration["lr"] > 0.0001
    assert best.configuration["lr"] <= 0.0001
    assert explanation.n_trials == 30
    assert 0 < explanation.n_outside < 30
    assert explanation.importance.n_trials == 30 - explanation.n_outside


@pytest.fixture
def no_more_computing(monkeypatch):
    """From here on whatever is explained must have been kept."""
    return lambda: monkeypatch.setattr(explain, "importance", None)


def test_same_version_is_explained_from_the_cache(tmp_path, no_more_computing):
    write_study(tmp_path)
    first = explain_study(tmp_path, "explained")
    no_more_computing()
    assert explain_study(tmp_path, "explained") == first


def test_a_run_that_begins_and_ends_changes_nothing_that_is_explained(tmp_path, no_more_computing):
    write_study(tmp_path)
    first = explain_study(tmp_path, "explained")
    spec = first_spec(tmp_path)
    no_more_computing()

    with open_study(open_store(tmp_path), spec, RunStarted(study="explained", run="r2", host="h", pid=1)):
        pass
    again = explain_study(tmp_path, "explained")

    assert again.version == first.version + 2
    assert again == first.model_copy(update={"version": again.version})


def test_a_trial_that_ends_is_explained_anew(tmp_path):
    write_study(tmp_path)
    before = explain_study(tmp_path, "explained")
    spec = first_spec(tmp_path)
    with open_study(open_store(tmp_path), spec, RunStarted(study="explained", run="r2", host="h", pid=1)) as log:
        record_trial(log, 30, {"lr": 0.5e-3, "width": 20}, loss=9.0)

    after = explain_study(tmp_path, "explained")

    assert (after.n_trials, after.importance.n_trials) == (31, 31)
    assert after.importance.parameters[0].total != before.importance.parameters[0].total


def test_trials_that_a_search_left_at_a_rung_are_among_those_that_ended(tmp_path):
    write_study(tmp_path, n_trials=2)
    spec = first_spec(tmp_path)
    at_rung = Trial(
        number=0, configuration={"lr": 0.1, "width": 16}, seed=0, state=TrialState.PAUSED, to_budget=1,
        evaluations=(Evaluation(budget=1, metrics={"loss": 1.0}, seconds=1.0),), checkpoints={0: tmp_path},
    )  # fmt: skip

    going_on, over = (History(spec=spec, trials=(at_rung,), search_end=end) for end in (None, "All were tried."))

    assert explained_content(going_on).trials[0].state is TrialState.PAUSED
    assert explained_content(over).trials[0].state is TrialState.STOPPED
    assert not explained_content(over).trials[0].checkpoints


def test_damaged_cache_is_computed_again(tmp_path):
    write_study(tmp_path)
    first = explain_study(tmp_path, "explained")
    for kept in (tmp_path / "cache" / "explanations").rglob("*.json"):
        kept.write_text("{")
    assert explain_study(tmp_path, "explained") == first
    assert ExplanationCache(open_store(tmp_path), "explained").last() == first


def test_only_the_last_explanations_of_a_study_are_kept(tmp_path):
    write_study(tmp_path, n_trials=2)
    found = explain_study(tmp_path, "explained")
    kept = ExplanationCache(open_store(tmp_path), "explained")

    for version in range(3 * MOST_KEPT):
        kept.keep(f"{version:032x}", found.model_copy(update={"version": version}))

    assert len(list((tmp_path / "cache" / "explanations").rglob("*.json"))) == MOST_KEPT + 1
    assert kept.last().version == 3 * MOST_KEPT - 1


def test_a_store_that_can_only_be_read_is_explained_all_the_same(tmp_path):
    write_study(tmp_path, n_trials=2)
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache" / "explanations").write_text("no folder")

    assert explain_study(tmp_path, "explained").n_trials == 2


def test_a_sample_of_a_large_study_gives_the_statistics_and_all_its_trials_the_advice(tmp_path, monkeypatch):
    write_study(tmp_path)
    monkeypatch.setattr(explain, "MOST_ANALYSED", 10)
    monkeypatch.setattr(explain, "MOST_ANALYSED", 10)

    found = explain_study(tmp_path, "explained")

    assert (found.n_trials, found.n_sampled, found.importance.n_trials) == (30, 10, 10)
    monkeypatch.setattr(explain, "MOST_REPLAYED", 20)
    (tmp_path / "cache").rename(tmp_path / "forgotten")
    assert explain_study(tmp_path, "explained").advice == ()


def test_study_of_two_trials_gets_honest_sentences(tmp_path):
    write_study(tmp_path, n_trials=2)
    explanation = explain_study(tmp_path)
    assert explanation.importance.sentence == "2 trials: too few to rank 2 hyperparameters."
    assert explanation.effects.parameters == ()


def test_unknown_study_is_an_error_with_the_nearest_name(tmp_path):
    write_study(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean 'explained'"):
        explain_study(tmp_path, "explaned")
