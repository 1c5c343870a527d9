"""What is wrong with a trial of several GPUs or processes: who can train so, and how many there are."""

from collections.abc import Iterator

from pegbox.schemas.errors import Problem
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CommandTrain, FunctionTrain
from pegbox.training.resources import visible_gpus


def check_ranks(spec: StudySpec) -> Iterator[Problem]:
    """Problems of `run.gpus_per_trial` and `run.processes_per_trial`."""
    run = spec.run
    if run.gpus_per_trial == 1 and run.world_size == 1:
        return
    name = "gpus_per_trial" if run.gpus_per_trial > 1 else "processes_per_trial"
    path = ("run", name)
    if not isinstance(spec.train, FunctionTrain | CommandTrain):
        yield Problem(f"a {spec.train.kind} trains in one process on one GPU. Leave {name} out.", path)
    elif run.engine != "local":
        yield Problem(f"`engine: {run.engine}` has one process for each trial. Leave {name} out.", path)
    elif run.gpus_per_trial > 1:
        yield from _check_gpus(run.gpus_per_trial, run.world_size, visible_gpus())


def _check_gpus(wanted: int, world_size: int, gpus: tuple[str, ...]) -> Iterator[Problem]:
    path = ("run", "gpus_per_trial")
    if wanted % world_size:
        message = f"{wanted} GPUs cannot be divided among {world_size} processes evenly. Give each as many."
        yield Problem(message, ("run", "processes_per_trial"))
    if not gpus:
        message = f"no GPU is visible here, and each trial is to have {wanted}. For the CPU write processes_per_trial."
        yield Problem(message, path)
    elif any(name.startswith("MIG-") for name in gpus):
        yield Problem("CUDA gives a process one MIG instance and no more. Leave gpus_per_trial out.", path)
    elif len(gpus) % wanted:
        message = f"the {len(gpus)} GPUs here ({', '.join(gpus)}) cannot be divided among trials of {wanted}."
        remedy = f" Change it, or name a multiple of {wanted} in CUDA_VISIBLE_DEVICES."
        yield Problem(message + remedy, path)
