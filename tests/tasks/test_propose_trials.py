from numpy.random import Generator

from pegbox.schemas.decision import Decision, Done, Start, Wait
from pegbox.schemas.history import History
from pegbox.tasks.propose_trials import propose_trials


class _Uniform:
    """Starts trials up to a number, then is done."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def next(self, history: History, rng: Generator) -> Decision:
        if len(history.trials) >= self.limit:
            return Done(reason="enough")
        return Start(configuration={"x": float(rng.random())}, to_budget=9)


class _Waiting:
    def next(self, history: History, rng: Generator) -> Decision:
        return Wait()


def test_decisions_in_a_row_see_each_other(history: History) -> None:
    proposals = propose_trials.fn(history, _Uniform(limit=3), 5)

    assert [decision.trial for decision in proposals.decisions] == [1, 2]
    assert [decision.saw for decision in proposals.decisions] == [2, 3]
    assert proposals.rest == Done(reason="enough")


def test_decision_depends_on_its_number_not_on_the_batch(history: History) -> None:
    together = propose_trials.fn(history, _Uniform(limit=9), 2).decisions
    first = propose_trials.fn(history, _Uniform(limit=9), 1).decisions
    second = propose_trials.fn(history.after(*first), _Uniform(limit=9), 1).decisions

    assert together == first + second


def test_waiting_strategy_proposes_nothing(history: History) -> None:
    proposals = propose_trials.fn(history, _Waiting(), 2)

    assert proposals.decisions == ()
    assert proposals.rest == Wait()
