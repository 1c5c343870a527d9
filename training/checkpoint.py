"""Files that hold the whole state of a torch trial: written in one step, read with suspicion."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pegbox.schemas.errors import StoreUnwritableError, TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.training.atomic_files import write_in_one_step
from pegbox.training.failures import failed

# Raised when what a checkpoint holds changes: an old one is then refused instead of half understood.
FORMAT = 2


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint so that a reader sees either all of it or nothing.

    Raises:
        StoreUnwritableError: The disk is full or fails.
    """
    try:
        write_in_one_step(path, lambda file: torch.save({"format": FORMAT, **state}, file))
    except (OSError, RuntimeError) as error:  # torch says of a full disk what its C++ writer says
        raise StoreUnwritableError(f"The checkpoint {path} could not be written: {error}") from error


def read_checkpoint(path: Path, recipe: str) -> dict[str, Any]:
    """The state that a trial of this recipe left behind, on the CPU.

    Raises:
        TrialError: The file is damaged, or belongs to another model.
    """
    try:
        # Weights only, as a pickle may run code; to the CPU, as the machine that continues may have another GPU or
        # none.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler meets
        raise _unusable(path, f"is damaged ({type(error).__name__}: {error})") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise _unusable(path, "is none of pegbox, or of another version of it")
    if state["recipe"] != recipe:
        raise _unusable(path, f"holds another model: expected {recipe}, got {state['recipe']}")
    return state


def weights_for(model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of a model that differs by what has none, such as a dropout of 0 that is no layer at all.

    Raises:
        TrialError: The shapes differ: what changed between the stages defines the network.
    """
    own = model.state_dict()
    if [tensor.shape for tensor in own.values()] != [tensor.shape for tensor in weights.values()]:
        message = "the weights of the stage before do not fit: a parameter that changed between them defines the "
        raise failed(FailureKind.INVALID, f"{message}network. Leave it out of search.options.mutable.")
    # In order and not by name: layers are numbered, and one that is left out moves those behind it.
    return dict(zip(own, weights.values(), strict=True))


def _unusable(path: Path, what: str) -> TrialError:
    message = f"the checkpoint {path} {what}. Delete it; the trial then trains from zero."
    return failed(FailureKind.INVALID, message)
