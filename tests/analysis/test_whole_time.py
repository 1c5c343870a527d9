"""The search leaves the finalists and the model their part of the whole time, and their round fits what is left."""

import pytest

from pegbox.schemas.events import RunStarted, SearchEnded, StudyOpened
from pegbox.schemas.history import History
from pegbox.schemas.plan import BudgetSpec
from pegbox.schemas.trial import TrialState
from pegbox.schemas.whole_time import END_SECONDS, finalists_round, kept_seconds, model_seconds, planned_round
from pegbox.search.limits import end

DATA = {"data": {"source": "sklearn:iris"}, "train": {"kind": "mlp", "epochs": 9}, "final": "all"}


def of_study(make_history, seconds, whole=60, **changes):
    values = [position / 10 for position in range(len(seconds))]
    given = {"budget": {"whole": whole}, "finalists": {}, "run": {"workers": 2}}
    return make_history(values, seconds=seconds, **given | changes)


def ended_at(history: History, seconds: float) -> History:
    return history.after(SearchEnded(study="written-down", reason="It is over.", elapsed_seconds=seconds))


def test_search_ends_where_the_rest_is_needed(make_history) -> None:
    history = of_study(make_history, [1.0] * 10)
    left = 60 - kept_seconds(history)

    assert end(history.at(left - 0.1)) is None
    assert "is kept for the finalists and the model" in (end(history.at(left)) or "")
    # Two finalists on two seeds by two workers, one that runs, and the end.
    assert kept_seconds(history) == pytest.approx(2 * 2 / 2 + 1 + END_SECONDS)


def test_longer_trainings_end_the_search_earlier(make_history) -> None:
    short, long = (of_study(make_history, [one] * 10) for one in (0.5, 5.0))
    assert kept_seconds(long) > kept_seconds(short)
    # However long they are, the search is left its part.
    assert kept_seconds(of_study(make_history, [15.0] * 10)) <= 15 + END_SECONDS + (60 - END_SECONDS) / 3


def test_long_family_that_runs_is_waited_for(make_history) -> None:
    history = of_study(
        make_history,
        [1.0, 9.0, 1.0],
        configurations=[{"family": "linear"}, {"family": "mlp"}, {"family": "linear"}],
        space={"family": ["linear", "mlp"]},
    )

    def with_running(family):
        running = history.trials[0].model_copy(
            update={"number": 3, "configuration": {"family": family}, "state": TrialState.RUNNING, "evaluations": ()}
        )
        return kept_seconds(history.model_copy(update={"trials": (*history.trials, running)}))

    assert with_running("mlp") - with_running("linear") == pytest.approx(9 - 11 / 3)


def test_model_that_is_trained_on_more_rows_is_counted(make_history) -> None:
    plain, both = of_study(make_history, [2.0] * 4), of_study(make_history, [2.0] * 4, **DATA)
    # On all rows in place of the six tenths that a trial learns from.
    assert kept_seconds(both) == pytest.approx(kept_seconds(plain) + 2 / 0.6)
    one_by_one = of_study(make_history, [2.0] * 4, **DATA, run={"workers": 1})
    assert model_seconds(one_by_one) == pytest.approx(END_SECONDS + 2 * (0.8 + 1) / 0.6)


def test_nothing_ends_before_a_trial_has_a_value(make_history) -> None:
    assert end(make_history([None], budget={"whole": 20}).at(25)) is None
    assert end(of_study(make_history, [1.0], whole=20).at(25)) is not None


def test_round_is_made_to_fit_what_is_left_and_stays(make_history) -> None:
    history = of_study(make_history, [2.0] * 50)

    assert finalists_round(history) == planned_round(history) == (5, 5)
    assert finalists_round(ended_at(history, 20)) == (5, 5)
    assert finalists_round(ended_at(history, 40)) == (4, 3)
    assert finalists_round(ended_at(history, 59)) == (1, 1)
    # A run that goes on says the end again, later: a round that was begun stays as it is.
    again = ended_at(ended_at(history, 40).after(StudyOpened(study="written-down", spec=history.spec)), 59)
    assert finalists_round(again) == (4, 3)


def test_round_that_is_named_is_kept(make_history) -> None:
    history = of_study(make_history, [2.0] * 50, finalists={"top": 4, "seeds": 4})
    assert finalists_round(ended_at(history, 59)) == (4, 4)
    assert finalists_round(ended_at(of_study(make_history, [2.0] * 50, finalists={"seeds": 2}), 59)) == (1, 2)


def test_start_of_a_command_counts(make_history) -> None:
    started = RunStarted(study="written-down", run="r", host="h", pid=1, start_seconds=9.0, elapsed_seconds=9.0)
    assert of_study(make_history, [1.0]).after(started).elapsed_seconds == 9


def test_search_has_two_thirds_of_the_whole_at_most() -> None:
    assert BudgetSpec(whole=60).search_seconds == 40
    assert BudgetSpec(whole=60, time=30).search_seconds == 30
    assert BudgetSpec(trials=3).search_seconds is None
