"""Which segments a decision means: one for each fold of a trial, or of a finalist's replicate."""

from collections.abc import Sequence

import numpy as np

from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import SearchError
from pegbox.schemas.families import what_is_trained
from pegbox.schemas.history import History
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trial import Segment, Trial, TrialState
from pegbox.training.kinds.registry import code_of

REPLICATE_STREAM = 1
"""Keeps the seeds of replicates apart from all others that are drawn from the study's seed."""


class SegmentPlan:
    """Makes the segments of one study; the code that trains is fingerprinted once, when the run begins."""

    def __init__(self, history: History, data: PreparedData | None) -> None:
        self._spec = history.spec
        # As the run began: a file that is edited while it goes on must not split its trials into two kinds that are
        # cached apart.
        self._code = (history.code or code_of(history.spec)).fingerprint
        self._objectives = tuple(objective.metric for objective in history.spec.goals)
        self._n_folds = data.n_folds if data else 1

    def of_trial(self, trial: Trial) -> tuple[Segment, ...]:
        """From where the trial was last evaluated to where it was decided to go.

        A trial that was running when its driver died gets a new attempt.

        Raises:
            SearchError: It is a copy of one that left no checkpoint.
        """
        if trial.parent is not None and not trial.checkpoints:
            raise SearchError(
                f"{self._spec.search.method} copies what a trial has learnt, and trial {trial.parent} left no "
                "checkpoint to copy. Save one at the end of each stretch, such as `trial.save_checkpoint(state)`."
            )
        attempt = trial.attempt + 1 if trial.state is TrialState.RUNNING else trial.attempt
        trained = what_is_trained(self._spec.train, trial.configuration)
        return tuple(
            Segment(
                study=self._spec.name,
                trial=trial.number,
                attempt=attempt,
                configuration=trained.configuration,
                earlier=trial.earlier,
                seed=trial.seed,
                from_budget=trial.budget,
                to_budget=trial.to_budget,
                fold=fold,
                checkpoint=trial.checkpoints.get(fold),
                train=trained.train,
                fidelity=self._spec.fidelity.of,
                code=self._code,
                objectives=self._objectives,
            )
            for fold in range(self._n_folds)
        )

    def of_replicate(self, trial: Trial, replicate: int) -> tuple[Segment, ...]:
        """One fresh seed of a finalist, from zero to the full budget."""
        trained = what_is_trained(self._spec.train, trial.configuration)
        return tuple(
            Segment(
                study=self._spec.name,
                trial=trial.number,
                configuration=trained.configuration,
                earlier=trial.earlier,
                seed=replicate_seed(self._spec.seed, replicate),
                to_budget=self._spec.full_budget,
                fold=fold,
                replicate=replicate,
                train=trained.train,
                fidelity=self._spec.fidelity.of,
                code=self._code,
                objectives=self._objectives,
            )
            for fold in range(self._n_folds)
        )

    def of_replicates(self, history: History, replicates: Sequence[TrialSeed]) -> tuple[Segment, ...]:
        """Fresh seeds of finalists, each from zero to the full budget."""
        return tuple(
            segment
            for one in replicates
            for segment in self.of_replicate(history.trials[one.trial], one.replicate or 0)
        )


def replicate_seed(study_seed: int, replicate: int) -> int:
    """Seed of a finalists' replicate: fresh, and common to all finalists, so that they are compared in pairs."""
    sequence = np.random.SeedSequence([study_seed, replicate], spawn_key=(REPLICATE_STREAM,))
    return int(sequence.generate_state(1)[0])
