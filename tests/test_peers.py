"""The peers of the benchmarks: each that is installed asks and is told on a small problem, failures included."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pegbox.schemas.base import Configuration
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.search.simulation import Outcome, Simulation

FOLDER = Path(__file__).parents[1] / "benchmarks"
SPACE: dict[str, Any] = {
    "lr": {"min": 1e-4, "max": 1.0, "log": True},
    "units": {"min": 8, "max": 128, "int": True, "log": True},
    "activation": ["relu", "tanh"],
}
FULL = ("Optuna TPE", "Optuna GP", "Hyperopt TPE", "SMAC3", "BoTorch", "TuRBO (BoTorch)", "HEBO")
RUNGS = ("Optuna TPE+Hyperband", "SMAC3+Hyperband", "BOHB", "DEHB")
EPOCHS = 9


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that knows them; benchmarks are no package, so that their folder stands on the path."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield import_module("peers")
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


def spec_of(budget: dict[str, int], **more: Any) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "peers",
            "train": {"kind": "function", "function": "peers:train", "epochs": EPOCHS},
            "space": SPACE,
            "objective": {"metric": "loss"},
            "search": {"method": "random", "seed": 3},
            "budget": budget,
        }
        | more
    )


def loss(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    lr, units = float(configuration["lr"]), float(configuration["units"])  # type: ignore[arg-type]
    return Outcome({"loss": abs(lr - 0.1) + units / 100 + 1 / to_budget})


def loss_or_failure(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """Large steps fail, a fourth of what is drawn at random."""
    if float(configuration["lr"]) > 0.1:  # type: ignore[arg-type]
        return Outcome(Failure(kind=FailureKind.DIVERGED, message="It fails there."))
    return loss(configuration, from_budget, to_budget)


def run(peers: Any, name: str, spec: StudySpec, objective: Any) -> History:
    if reason := peers.PEERS[name].why_not:
        pytest.skip(reason)
    return Simulation(peers.PEERS[name].build(spec, 3), History(spec=spec), objective).run()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FULL)
def test_a_peer_of_full_trainings_keeps_to_the_space_and_bears_failures(peers: Any, name: str) -> None:
    spec = spec_of({"trials": 14})
    history = run(peers, name, spec, loss_or_failure)

    assert len(history.trials) == 14
    for trial in history.trials:
        for parameter, value in trial.configuration.items():
            assert spec.space.parameters[parameter].contains(value), (parameter, value)
    assert any(trial.state is TrialState.COMPLETED for trial in history.trials)
    assert len({str(trial.configuration) for trial in history.trials}) > 10


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_smac_models_most_of_the_trials_that_it_is_told_of(peers: Any) -> None:
    pytest.importorskip("smac")
    strategy = peers.PEERS["SMAC3"].build(spec_of({"trials": 20}), 3)
    origins = []
    for _ in range(20):
        _, token = strategy._peer.ask()
        origins.append(token.config.origin)
        strategy._peer.tell(token, float(token.config["lr"]))

    assert sum("Initial Design" in origin for origin in origins) == 5


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RUNGS)
def test_a_peer_with_rungs_trains_at_rungs_only_and_spends_what_it_may(peers: Any, name: str) -> None:
    spec = spec_of({"epochs": 8 * EPOCHS}, fidelity={"schedule": "hyperband", "min": 1, "factor": 3})
    history = run(peers, name, spec, loss)

    assert {one.budget for trial in history.trials for one in trial.evaluations} <= set(spec.rungs)
    spent = sum(trial.budget for trial in history.trials)
    assert 7 * EPOCHS <= spent <= 8 * EPOCHS


@pytest.mark.long
def test_what_a_hub_lacks_is_named(peers: Any, tmp_path: Path) -> None:
    pytest.importorskip("optunahub")
    pytest.importorskip("cmaes")
    peers.use_hub(tmp_path)

    said = peers.PEERS["Optuna AutoSampler"].why_not
    assert said == f"{tmp_path} has no folder package/samplers/auto_sampler, which a copy of OptunaHub's registry has"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_a_hub_s_sampler_is_driven_from_a_copy_of_the_registry(peers: Any, tmp_path: Path) -> None:
    pytest.importorskip("optunahub")
    pytest.importorskip("cmaes")
    package = tmp_path / "package" / "samplers" / "auto_sampler"
    package.mkdir(parents=True)
    # A sampler of Optuna under the hub's name: what is tried here is the way to it.
    (package / "__init__.py").write_text("from optuna.samplers import TPESampler as AutoSampler\n")
    peers.use_hub(tmp_path)

    assert len(run(peers, "Optuna AutoSampler", spec_of({"trials": 3}), loss).trials) == 3


def test_a_peer_without_its_weights_is_refused_by_name(peers: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.available(["bayes", "ifBO"]) == ["bayes"]
    assert capsys.readouterr().err == (
        "ifBO is skipped: the weights of its surrogate lie on figshare.com alone, and it is not driven here.\n"
    )


@pytest.mark.long
def test_botorch_is_not_told_of_more_than_two_unordered_values(peers: Any) -> None:
    pytest.importorskip("botorch")
    from full_peers import UnspeakableSpaceError  # type: ignore[import-not-found]

    spec = spec_of({"trials": 3}, space=SPACE | {"optimizer": ["sgd", "adam", "lion"]})
    with pytest.raises(UnspeakableSpaceError, match="on two values"):
        peers.PEERS["TuRBO (BoTorch)"].build(spec, 3)


@pytest.mark.long
def test_the_box_of_turbo_grows_with_successes_and_begins_anew_when_it_is_tiny(peers: Any) -> None:
    pytest.importorskip("botorch")
    from gaussian_peers import TurboPeer  # type: ignore[import-not-found]

    peer = TurboPeer(spec_of({"trials": 3}).space, seed=0)
    first = [peer.ask()[1] for _ in range(6)]
    for number, token in enumerate(first):
        peer.tell(token, 10.0 - number)
    assert peer._length == TurboPeer.FIRST  # the first points are no tries of the box
    for number in range(3):
        peer.tell(first[0], 4.0 - number)
    assert peer._length == min(2 * TurboPeer.FIRST, TurboPeer.LONGEST)
    # Eight halvings, each after as many failures as it bears.
    for _ in range(8 * 4):
        peer.tell(first[0], None)
    assert (peer._length, peer._n_restarts) == (TurboPeer.FIRST, 1)


@pytest.mark.parametrize("name", RUNGS)
def test_lcbench_hands_a_peer_with_rungs_all_of_them(peers: Any, name: str) -> None:
    pytest.importorskip("onnxruntime")
    lcbench = import_module("lcbench")

    assert lcbench.study(name, 5, seed=0).rungs == lcbench.study("random+asha", 5, seed=0).rungs == (2, 6, 18, 52)
