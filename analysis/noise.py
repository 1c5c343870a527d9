"""How much one measurement of the same configuration varies; the yardstick for every difference."""

import numpy as np

from pegbox.analysis.replicates import gather_replicates
from pegbox.schemas.history import History
from pegbox.schemas.plan import Objective


def replicate_noise(history: History, objective: Objective) -> float | None:
    """Standard deviation of a value over fresh seeds, pooled over the finalists; None before their round."""
    replicates = gather_replicates(history, objective)
    if not replicates.trials:
        return None
    freedom = int((replicates.counts - 1).sum())
    if freedom < 2:
        return None
    residuals = replicates.losses - replicates.means[:, None]
    return float(np.sqrt(np.nansum(residuals**2) / freedom))
