"""The posterior of several objectives at once, from the finalists' fresh seeds; picks no winner."""

from dataclasses import dataclass

import numpy as np

from pegbox.analysis.posterior import mean_draws
from pegbox.analysis.replicates import Array, Replicates, gather_replicates, restrict
from pegbox.schemas.history import History
from pegbox.schemas.selection import RowNoise
from pegbox.schemas.trial import Trial


@dataclass(frozen=True, slots=True)
class JointReplicates:
    """The finalists that have values of every objective on fresh seeds.

    Attributes:
        tables: One for each objective, with the same trials.
    """

    tables: tuple[Replicates, ...]

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The finalists, by number."""
        return self.tables[0].trials

    def draws(self) -> Array:
        """Draws of the true mean losses, shape (n_draws, n_finalists, n_objectives).

        Objectives are drawn independently. There is one draw, the means, where no spread is known in any of them.
        """
        # Independently, as a few seeds tell next to nothing of how the noise of two metrics hangs together.
        draws = [mean_draws(table) for table in self.tables]
        count = max(len(one) for one in draws)
        return np.stack([np.broadcast_to(one, (count, one.shape[1])) for one in draws], axis=-1)


def gather_jointly(history: History, n_seeds: int | None = None, rows: RowNoise | None = None) -> JointReplicates:
    """The values of all objectives.

    Args:
        n_seeds: Only the first so many seeds.
        rows: The noise of the rows in the losses of the first objective; that of others is not known.
    """
    noises = [rows, *(None for _ in history.objectives[1:])]
    tables = [
        gather_replicates(history, objective, n_seeds, noise)
        for objective, noise in zip(history.objectives, noises, strict=True)
    ]
    shared = set.intersection(*({trial.number for trial in table.trials} for table in tables))
    return JointReplicates(tuple(restrict(table, shared) for table in tables))
