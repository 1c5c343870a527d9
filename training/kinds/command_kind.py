"""Kind `command`: any program that prints its metrics."""

from typing import Any

from pegbox.training.check_command import check_command, command_warnings
from pegbox.training.kinds.record import TrainKind, own_code
from pegbox.training.kinds.user_files import code_of_command


def _trainer(_train: Any) -> Any:
    from pegbox.training.command_trainer import CommandTrainer

    return CommandTrainer()


KIND = TrainKind(
    trainer=_trainer,
    preload=lambda _train: ("pegbox.training.command_trainer",),
    check=lambda train, spec: check_command(train, spec.handed_space, spec.run.workers),
    # How a program's output is read belongs to its result: read anew after an update that reads otherwise.
    code=lambda train: code_of_command(train.command).plus(own_code("command_output")),
    warnings=lambda train, spec: command_warnings(spec, train),
)
