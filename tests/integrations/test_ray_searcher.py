from pathlib import Path
from typing import Any

import pytest

import pegbox

tune = pytest.importorskip("ray.tune")

from pegbox.integrations.ray import PegboxSearcher  # noqa: E402
from pegbox.schemas.errors import StudyError  # noqa: E402

SPACE = {"x": tune.uniform(-1, 1), "net": {"width": tune.choice([len, None]), "lr": tune.loguniform(1e-5, 1)}}


def opened(**arguments: Any) -> PegboxSearcher:
    searcher = PegboxSearcher(seed=0, **arguments)
    assert searcher.set_search_properties("loss", "min", SPACE | {"data": object()})
    return searcher


def loss_of(config: dict[str, Any]) -> float:
    return (config["x"] - 0.3) ** 2 + (config["net"]["width"] is None)


def searched(searcher: PegboxSearcher, begin: int, end: int) -> list[dict[str, Any]]:
    asked = []
    for number in range(begin, end):
        asked.append(config := searcher.suggest(f"t{number}"))
        searcher.on_trial_complete(f"t{number}", {"loss": loss_of(config), "training_iteration": 1})
    return asked


def test_it_learns_over_a_nested_space() -> None:
    asked = searched(opened(), 0, 11)
    assert set(asked[0]) == {"x", "net"}
    assert min(map(loss_of, asked)) < 1e-3
    assert sum(one["net"]["width"] is len for one in asked[6:]) >= 4


def test_a_restored_searcher_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole = searched(opened(), 0, 9)
    begun = opened()
    searched(begun, 0, 5)
    begun.save(str(tmp_path / "state.pkl"))
    restored = PegboxSearcher(seed=7)
    restored.restore(str(tmp_path / "state.pkl"))
    assert searched(restored, 5, 9) == whole[5:]


def test_what_a_scheduler_stopped_counts_for_as_far_as_it_was_trained() -> None:
    searcher = opened()
    for number in range(12):
        config = searcher.suggest(f"t{number}")
        # Stopped at the third of nine iterations unless it is near: as ASHA would.
        last = 9 if abs(config["x"] - 0.3) < 0.4 else 3
        for iteration in range(1, last + 1):
            searcher.on_trial_result(
                f"t{number}", {"loss": loss_of(config) + 1 / iteration, "training_iteration": iteration}
            )
        searcher.on_trial_complete(f"t{number}")
    last = searcher.suggest("last")
    assert abs(last["x"] - 0.3) < 0.3


def test_failed_trials_and_unknown_ones_are_no_obstacle() -> None:
    searcher = opened()
    for number in range(8):
        config = searcher.suggest(f"t{number}")
        fails = config["x"] < 0
        searcher.on_trial_complete(f"t{number}", None if fails else {"loss": loss_of(config)}, error=fails)
    searcher.on_trial_complete("never asked", {"loss": 1.0})
    assert searcher.suggest("t8")["x"] > -0.5


def test_a_value_that_is_not_finite_fails_the_trial() -> None:
    searcher = opened()
    for number in range(6):
        searcher.suggest(f"t{number}")
        searcher.on_trial_complete(f"t{number}", {"loss": float("nan")})
    assert searcher.suggest("t6") is not None


def test_points_to_evaluate_come_first() -> None:
    first = {"x": 0.5, "net": {"width": None, "lr": 1e-3}}
    searcher = opened(points_to_evaluate=[first])
    assert searcher.suggest("t0") == first
    assert searcher.suggest("t1") != first
    with pytest.raises(StudyError, match="does not lie in the space"):
        opened(points_to_evaluate=[first | {"x": 9.0}]).suggest("t0")


def test_a_used_up_space_is_finished() -> None:
    searcher = PegboxSearcher({"x": tune.choice([1, 2])}, "loss", "min")
    assert [searcher.suggest(name) for name in "abc"][-1] == PegboxSearcher.FINISHED


def test_our_domains_and_conditions_are_taken() -> None:
    space = {"kind": pegbox.Choice(["a", "b"]), "deep": {"y": pegbox.Float(0.0, 1.0, when={"kind": "b"})}}
    searcher = PegboxSearcher(space, ["loss", "size"], ["min", "max"])
    asked = [searcher.suggest(str(number)) for number in range(6)]
    assert all(("deep" in one) == (one["kind"] == "b") for one in asked)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"x": tune.grid_search([1, 2])}, "x: a grid is tried by Tune itself"),
        ({"net": {"x": tune.sample_from(lambda _: 1)}}, "net/x: tune.sample_from cannot be searched"),
        ({"x": 3}, "there is no space to search"),
    ],
    ids=["grid", "function", "constant"],
)
def test_what_cannot_be_searched_is_refused_by_name(space: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        PegboxSearcher(space, "loss", "min").suggest("t0")


def test_a_searcher_without_a_metric_says_so() -> None:
    with pytest.raises(StudyError, match="metric and mode are missing"):
        PegboxSearcher({"x": tune.uniform(0, 1)}).suggest("t0")


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_tune_runs_with_it_under_asha(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")

    def train(config: dict[str, Any]) -> None:
        for iteration in range(1, 10):
            tune.report({"loss": (config["x"] - 0.3) ** 2 + 1 / iteration})

    ray.init(num_cpus=2, include_dashboard=False, ignore_reinit_error=True, configure_logging=False)
    try:
        settings = tune.TuneConfig(
            search_alg=tune.search.ConcurrencyLimiter(PegboxSearcher(), max_concurrent=2),
            scheduler=tune.schedulers.ASHAScheduler(max_t=9, grace_period=1),
            metric="loss", mode="min", num_samples=14,
        )  # fmt: skip
        tuner = tune.Tuner(
            train,
            param_space={"x": tune.uniform(-1, 1), "constant": 3},
            tune_config=settings,
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
        )
        results = tuner.fit()
    finally:
        ray.shutdown()
    assert len(results) == 14
    assert results.num_errors == 0
    best = results.get_best_result().config
    assert best["constant"] == 3
    assert abs(best["x"] - 0.3) < 0.1
