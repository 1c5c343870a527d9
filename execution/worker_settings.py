"""What a worker process keeps to, on any machine, and the environment that each of them starts in."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker of a run keeps to; made of the study once, and carried whole to each process.

    Attributes:
        threads: CPU threads of a process that trains; None divides the cores among all of them.
        gpus: Of each trial.
        processes: Of each trial.
        memory_bytes: The most memory a trial may take, more is the failure out of memory; None for no limit.
        imports: Modules that are imported before the first trial, in the server that workers are forked from; one that
            is missing is passed over.
        code: Modules of the user's, imported by each worker before the first trial.
        keep: What a trial hands to `trial_process.note` is given to this in the worker, which no trial can spoil.
    """

    threads: int | None = None
    gpus: int = 1
    processes: int = 1
    memory_bytes: int | None = None
    imports: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    keep: Callable[[Any], None] | None = None


@dataclass(frozen=True, slots=True)
class WorkerEnvironment:
    """What a worker process is given once, before its first trial.

    Attributes:
        settings: Of all workers.
        threads: CPU threads of a trial: what the settings say, or this worker's share of the cores.
        variables: All environment variables of the driver; the fork server may be older than they are.
        directory: The working directory.
        paths: `sys.path` of the driver.
        kept_bytes: A process that holds more of its own between two calls serves no further one.
        log: Where its output goes; None leaves it on the terminal.
        forks_code: Whether trials are forked after the user's modules were imported; otherwise each process of a
            trial imports them.
    """

    settings: WorkerSettings
    threads: int
    variables: Mapping[str, str]
    directory: Path
    paths: tuple[str, ...]
    kept_bytes: int = sys.maxsize
    log: Path | None = None
    forks_code: bool = True
