"""Why a result was used again or not: told from the history and from the code as it is now."""

import pytest

from pegbox.report.reuse import explain_reuse
from pegbox.report.stored_study import compare_with_store
from pegbox.schemas.code import Code, CodePart
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import DecisionMade, RunStarted, SegmentStarted, SegmentTrained, TrialEvaluated
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study
from pegbox.training.kinds.registry import code_of


def recorded(store, spec, *, cached, code):
    """A study of one trial that was trained, or found, with some code."""
    run = RunStarted(study=spec.name, run=f"run-{spec.name}", host="h", pid=1, code=code)
    segment = Segment(
        study=spec.name, trial=0, configuration={"x": 0.5}, seed=7, to_budget=1, train=spec.train, code=code.fingerprint
    )
    with open_study(store, spec, run) as log:
        log.record(
            DecisionMade(
                study=spec.name,
                number=0,
                saw=1,
                elapsed_seconds=0.0,
                decision=Start(configuration={"x": 0.5}, to_budget=1),
                trial=0,
                seed=7,
            ),
            SegmentStarted(study=spec.name, run=run.run, segment=segment),
            SegmentTrained(
                **dict(segment.place),
                study=spec.name,
                from_budget=0,
                to_budget=1,
                seed=7,
                trained=TrainedSegment(budget=1, seconds=1.0),
                cached=cached,
            ),
            TrialEvaluated(
                study=spec.name,
                trial=0,
                evaluation=Evaluation(budget=1, metrics={"value": 1.0}),
                state=TrialState.COMPLETED,
            ),
        )
    return segment


@pytest.fixture
def two_studies(project, hill):
    """Of two studies of the same content the second found what the first trained."""
    store = open_store(project / ".pegbox")
    first = hill(name="first", finalists={"top": 1, "seeds": 1})
    code = code_of(first)
    segment = recorded(store, first, cached=False, code=code)
    recorded(store, hill(name="second", finalists={"top": 1, "seeds": 1}), cached=True, code=code)
    store.cache.mkdir(exist_ok=True)
    (store.cache / f"train-{segment.content_key('')}").write_text("{}")
    return store.root


def test_who_trained_what_was_used_again_is_named(two_studies):
    (trained,), (found,) = (explain_reuse(two_studies, name, 0).segments for name in ("first", "second"))

    assert trained.story == "Trained: nothing that computes the same was kept."
    assert found.story == "Used again: trial 0 of study 'first' computed the same."
    assert trained.key == found.key


def test_whether_it_would_be_used_again_now_depends_on_code_and_cache(two_studies, project):
    assert explain_reuse(two_studies, "second", 0).now.endswith("another study would use it again.")

    for kept in (two_studies / "cache").iterdir():
        kept.unlink()
    assert "is not kept any more" in explain_reuse(two_studies, "second", 0).now

    (project / "hill.py").write_text((project / "hill.py").read_text().replace("0.3", "0.4"))
    found = explain_reuse(two_studies, "second", 0)
    assert found.changed == ("hill changed",)
    assert "would be trained again now" in found.now


def test_a_study_that_goes_on_with_other_code_says_so_before_it_starts(two_studies, project, hill):
    spec = hill(name="first", finalists={"top": 1, "seeds": 1})
    assert not compare_with_store(two_studies, spec).has_changes

    (project / "hill.py").write_text((project / "hill.py").read_text().replace("0.3", "0.4"))

    (_, told) = compare_with_store(two_studies, spec).told
    assert told.startswith("the code is another than in its last run: hill changed. 1 trial trained with the old code")


def test_an_upgrade_of_a_package_is_no_other_code_of_the_user(project, hill):
    store = open_store(project / ".pegbox")
    spec = hill(name="first")
    code = Code.of((*code_of(spec).parts, CodePart(kind="package", name="torch", value="0.1")))
    recorded(store, spec, cached=False, code=code)

    assert not compare_with_store(store.root, spec).has_changes


def test_a_trial_that_there_is_not_is_named(two_studies):
    with pytest.raises(NotFoundError, match="no trial 9 that was trained"):
        explain_reuse(two_studies, "first", 9)


def test_the_parts_of_the_code_can_be_asked(two_studies):
    from pegbox.storage.history_file import open_history

    with open_history(two_studies) as history:
        rows = history.sql("SELECT study, kind, name FROM code_parts ORDER BY ALL").fetchall()

    assert rows == [("first", "module", "hill"), ("second", "module", "hill")]


def test_code_that_is_not_here_is_no_change(two_studies, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    found = explain_reuse(two_studies, "first", 0)

    assert found.changed == ()
    assert "is not in this directory" in found.now
