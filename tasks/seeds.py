"""Where every seed of training comes from: the study's seed and what it is for, never a clock."""

import numpy as np

REPLICATE_STREAM = 1


def trial_seed(study_seed: int, trial: int) -> int:
    """Seed of a trial's training while searching, 0 to 2**32 - 1.

    >>> trial_seed(0, 1) == trial_seed(0, 1), trial_seed(0, 1) == trial_seed(0, 2)
    (True, False)
    """
    return int(np.random.SeedSequence([study_seed, trial]).generate_state(1)[0])


def replicate_seed(study_seed: int, replicate: int) -> int:
    """Seed of a finalists' replicate: fresh, and common to all finalists, so that they are compared in pairs."""
    sequence = np.random.SeedSequence([study_seed, replicate], spawn_key=(REPLICATE_STREAM,))
    return int(sequence.generate_state(1)[0])
