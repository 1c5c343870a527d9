"""What a trial lost on its fresh seeds and on each row, as it lies beside its checkpoints."""

from pegbox.analysis.paired_comparison import TrialLosses, losses_by_seed
from pegbox.analysis.replicates import gather_replicates
from pegbox.analysis.row_noise import row_noise
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.selection import RowNoise
from pegbox.schemas.trial import Trial
from pegbox.training.row_losses import read_row_losses, rows_as_losses


def trial_losses(trial: Trial, objective: Objective) -> TrialLosses:
    """What a trial lost on its fresh seeds, and on the rows of those whose losses are still kept."""
    rows: dict[int, RowLosses] = {}
    for one in trial.replicates:
        folds = [read_row_losses(path) for path in one.rows]
        known = [fold for fold in folds if fold is not None]
        if one.replicate is not None and known and len(known) == len(folds):
            rows[one.replicate] = rows_as_losses(known, objective)
    return TrialLosses(losses_by_seed(trial, objective), rows)


def finalists_row_noise(history: History) -> RowNoise | None:
    """The noise of the rows in what the finalists lost; None where it is not known.

    Losses row by row go with their checkpoints once a winner is chosen. As long as no further seed was trained, what
    was known when it was chosen is known still: a finished study that is run again has the same answer.
    """
    objective = history.objectives[0]
    trials = gather_replicates(history, objective).trials
    chosen = history.selection
    if chosen is not None and chosen.row_noise is not None:
        before = {one.trial: len(one.values) for one in chosen.finalists}
        if before == {trial.number: len(losses_by_seed(trial, objective)) for trial in trials}:
            return chosen.row_noise
    return row_noise({trial.number: trial_losses(trial, objective) for trial in trials})
