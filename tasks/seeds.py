"""Where the seeds of the finalists' round come from: the study's seed and the replicate, never a clock."""

import numpy as np

REPLICATE_STREAM = 1


def replicate_seed(study_seed: int, replicate: int) -> int:
    """Seed of a finalists' replicate: fresh, and common to all finalists, so that they are compared in pairs."""
    sequence = np.random.SeedSequence([study_seed, replicate], spawn_key=(REPLICATE_STREAM,))
    return int(sequence.generate_state(1)[0])
