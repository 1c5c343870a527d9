"""The global streams of random numbers that a user's code may draw from: seeded, kept, taken up again; light."""

import random
import sys
from importlib import import_module
from typing import Any


def seed_everything(seed: int) -> None:
    """Start every global stream of random numbers that is loaded from the trial's seed."""
    random.seed(seed)
    if "numpy" in sys.modules:
        import_module("numpy").random.seed(seed % 2**32)
    if "torch" in sys.modules:
        import_module("torch").manual_seed(seed)


def random_state(device: Any) -> dict[str, Any]:
    """Where the streams of torch, numpy and Python stand, in types that `torch.load` reads without running code.

    Args:
        device: The torch device that is trained on.
    """
    import numpy as np
    import torch

    from pegbox.training.devices import random_numbers

    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - the global stream is what users draw from
    return {
        "process": torch.get_rng_state(),
        "cuda": random_numbers(device),  # of any device beside the CPU; named so by the checkpoints of 0.2
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest),
    }


def restore_random_state(state: dict[str, Any], device: Any) -> None:
    """Let the streams go on from where they stood."""
    import numpy as np
    import torch

    from pegbox.training.devices import restore_random_numbers

    torch.set_rng_state(state["process"])
    if state["cuda"] is not None:
        restore_random_numbers(state["cuda"], device)
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
