"""Our search as a searcher of Ray Tune: `tune.TuneConfig(search_alg=PegboxSearcher(), ...)`."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ray.tune.search import Searcher
from ray.tune.utils.util import unflatten_dict  # type: ignore[attr-defined]

from pegbox.integrations.component_search import ComponentSearch, ended_trial, failed_trial, rungs_of, running_trial
from pegbox.integrations.draft import Draft
from pegbox.integrations.ray_tune import is_domain, is_grid, space_from_ray
from pegbox.integrations.searched_distributions import AsItIs, ByPlace, listed
from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import SpaceExhaustedError, StudyError
from pegbox.schemas.plan import Constraint, Objective
from pegbox.schemas.trial import Trial


class _Asked(NamedTuple):
    """A trial of Ray: what was suggested, what it reported so far, and whether it goes on."""

    configuration: Configuration
    results: dict[int, dict[str, float]]
    """Training iteration to the metrics that count."""
    has_ended: bool = False
    has_failed: bool = False


class PegboxSearcher(Searcher):
    """Bayesian optimisation for Ray Tune; what a scheduler stopped counts for as far as it was trained.

    Args:
        space: Name to a domain of Ray (`tune.loguniform`) or of pegbox, conditions included; nested mappings have names
            such as `model/units`. Tune's own `param_space` where it is None.
        metric: As of `tune.TuneConfig`, which may give it too; several with as many modes.
        mode: `min` or `max`.
        method: `bayes`, or another of `search.method` in a study file.
        constraints: Limits of other metrics: `{"metric": "latency", "max": 20}`.
        points_to_evaluate: Configurations that are tried first.
        seed: Of the proposals.
    """

    def __init__(  # noqa: PLR0913 - those of Ray's own searchers
        self,
        space: Mapping[str, Any] | None = None,
        metric: str | list[str] | None = None,
        mode: str | list[str] | None = None,
        *,
        method: str = "bayes",
        constraints: Sequence[Mapping[str, Any]] = (),
        points_to_evaluate: Sequence[Mapping[str, Any]] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(metric=metric, mode=mode)  # type: ignore[arg-type]  # takes lists as well
        self._method, self._seed = method, seed
        self._constraints = [Constraint.model_validate(one) for one in constraints]
        self._first = [_flat(point) for point in points_to_evaluate]
        self._asked: dict[str, _Asked] = {}
        self._space: dict[str, tuple[Any, AsItIs | ByPlace]] = {}
        self._search: ComponentSearch | None = None
        if space is not None:
            self._space = _read(space)

    def set_search_properties(self, metric: Any, mode: Any, config: dict[str, Any], **spec: Any) -> bool:
        """Take Tune's metric, mode and `param_space` where the searcher was given none."""
        if self._space and config and any(is_domain(one) or is_grid(one) for one in _flat(config).values()):
            return False  # Ray then says that the space is given twice
        if not self._space:
            self._space = _read(config)
        self._metric, self._mode = metric or self._metric, mode or self._mode
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """A configuration; `FINISHED` once every one has been tried."""
        search = self._opened()
        first = self._first.pop(0) if self._first else None
        try:
            configuration = self._inward(first) if first else self._propose(search)
        except SpaceExhaustedError:
            return Searcher.FINISHED  # type: ignore[return-value]  # Ray's word for it
        self._asked[trial_id] = _Asked(configuration, {})
        values = {name: self._space[name][1].outward(value) for name, value in configuration.items()}
        nested: dict[str, Any] = unflatten_dict(values)
        return nested

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Note what a trial reported on its way."""
        metrics = {name: float(result[name]) for name in self._counted() if name in result}
        if trial_id in self._asked and not self._asked[trial_id].has_ended:
            self._asked[trial_id].results[int(result.get("training_iteration", 1))] = metrics

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Note the end of a trial: it ran through, was stopped by a scheduler, or failed."""
        if trial_id not in self._asked:
            return
        if result:
            self.on_trial_result(trial_id, result)
        asked = self._asked[trial_id]
        self._asked[trial_id] = asked._replace(has_ended=True, has_failed=error or not asked.results)

    def save(self, checkpoint_path: str) -> None:
        """Write all that is known into a file."""
        Path(checkpoint_path).write_bytes(pickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Go on from such a file: the same trials lead to the same proposals."""
        self.__dict__.update(pickle.loads(Path(checkpoint_path).read_bytes()))  # noqa: S301 - Ray's own experiment

    def _opened(self) -> ComponentSearch:
        if self._search is None:
            goals = [Objective.model_validate({"metric": name, "goal": goal}) for name, goal in self._goals()]
            space = {name: domain for name, (domain, _) in self._space.items()}
            self._search = ComponentSearch(
                space, goals, constraints=self._constraints, method=self._method, seed=self._seed
            )
        return self._search

    def _goals(self) -> list[tuple[str, str]]:
        if not self._space:
            raise StudyError("there is no space to search. Give `space`, or `param_space` of tune.Tuner.", "ray")
        if not self._metric or not self._mode:
            raise StudyError("metric and mode are missing. Give them here or in tune.TuneConfig.", "ray")
        if isinstance(self._metric, str):
            return [(self._metric, str(self._mode))]
        return list(zip(self._metric, self._mode, strict=True))

    def _counted(self) -> list[str]:
        return [*(name for name, _ in self._goals()), *(limit.metric for limit in self._constraints)]

    def _propose(self, search: ComponentSearch) -> Configuration:
        full = max((max(one.results, default=1) for one in self._asked.values()), default=1)
        last = [max(one.results) for one in self._asked.values() if one.has_ended and one.results]
        rungs = rungs_of(budget for budget in last if budget < full)
        trials = [_trial(number, one, full, rungs) for number, one in enumerate(self._asked.values())]
        return search.propose(trials, len(self._asked), full)

    def _inward(self, point: Mapping[str, Any]) -> Configuration:
        """A configuration of the user's as the search writes it.

        Raises:
            StudyError: The space does not hold it.
        """
        space = self._opened().spec.space
        known = {name: value for name, value in point.items() if name in self._space}
        configuration = {name: self._space[name][1].inward(value) for name, value in known.items()}
        if known.keys() != point.keys() or not space.contains(configuration):
            raise StudyError(f"points_to_evaluate: {dict(point)!r:.200} does not lie in the space.", "ray")
        return configuration


def _trial(number: int, asked: _Asked, full: int, rungs: Sequence[int]) -> Trial:
    """A trial of Ray as one of ours; one that ended below the furthest iteration of all was stopped there."""
    running = running_trial(number, asked.configuration, full)
    if asked.has_failed:
        return failed_trial(running, "the trial failed.")
    if not asked.has_ended:
        return running
    last = max(asked.results)
    shown = {budget: metrics for budget, metrics in asked.results.items() if budget in rungs or budget == last}
    return ended_trial(running, shown, is_complete=last >= full)


def _read(space: Mapping[str, Any]) -> dict[str, tuple[Any, AsItIs | ByPlace]]:
    """Each searched parameter with its domain; Tune itself hands constants to the trials.

    Raises:
        StudyError: One cannot be searched.
    """
    read = {name: _domain(name, entry) for name, entry in _flat(space).items()}
    return {name: found for name, found in read.items() if found is not None}


def _flat(space: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Entries of nested mappings by their path, with slashes, as Tune writes them."""
    found: dict[str, Any] = {}
    for name, entry in space.items():
        if isinstance(entry, Mapping) and not is_grid(entry) and not _is_ours(entry):
            found |= _flat(entry, f"{prefix}{name}/")
        else:
            found[f"{prefix}{name}"] = entry
    return found


def _is_ours(entry: Any) -> bool:
    """True for a domain as `pegbox.Float` and its like make it."""
    return isinstance(entry, Mapping) and any(
        isinstance(entry.get(name), int | float | list | tuple) for name in ("min", "max", "values")
    )


def _domain(name: str, entry: Any) -> tuple[Any, AsItIs | ByPlace] | None:
    if _is_ours(entry):
        return dict(entry), AsItIs()
    if is_grid(entry):
        raise StudyError(f"{name}: a grid is tried by Tune itself. Write tune.choice, and it is searched.", "ray")
    if not is_domain(entry):
        return None
    if type(entry).__name__ == "Categorical":
        return listed(entry.categories)
    draft = Draft("ray")
    found = space_from_ray({name: entry}, draft)
    if name not in found:
        raise StudyError(f"{name}: tune.sample_from cannot be searched. Compute it in the training.", "ray")
    return found[name], AsItIs()
