"""What is trained of a copy: its stages, from its parent's checkpoint."""

from pathlib import Path

import pytest
from tests.search.population.simulated_population import population_study

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.schemas.errors import SearchError
from pegbox.schemas.history import History
from pegbox.schemas.trial import Stage, Trial

EARLIER = (Stage(configuration={"lr": 0.1}, to_budget=3),)


def copy_of(checkpoints: dict[int, Path]) -> Trial:
    return Trial(
        number=7, configuration={"lr": 0.08}, seed=5, parent=2, replaces=1, earlier=EARLIER, budget=3, to_budget=6,
        checkpoints=checkpoints,
    )  # fmt: skip


def plan() -> SegmentPlan:
    return SegmentPlan(History(spec=population_study()), None)


def test_copy_goes_on_from_the_checkpoint_of_its_parent() -> None:
    (segment,) = plan().of_trial(copy_of({0: Path("two.pt")}))
    assert (segment.from_budget, segment.to_budget, segment.checkpoint) == (3, 6, Path("two.pt"))
    assert (segment.earlier, segment.seed) == (EARLIER, 5)


def test_fresh_seed_trains_the_whole_schedule_from_zero() -> None:
    (segment,) = plan().of_replicate(copy_of({0: Path("two.pt")}), 0)
    assert (segment.from_budget, segment.to_budget, segment.checkpoint) == (0, 12, None)
    assert segment.earlier == EARLIER


def test_copy_of_a_trial_without_a_checkpoint_is_refused_with_what_to_do() -> None:
    with pytest.raises(SearchError, match=r"trial 2 left no checkpoint to copy\. Save one"):
        plan().of_trial(copy_of({}))
