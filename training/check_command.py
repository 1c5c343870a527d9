"""Can a user's command be started, and does it take what the space gives? Runs none of it."""

import os
import re
import shutil
from collections.abc import Iterable, Sequence

from pegbox.schemas.domains import AnyDomain
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.secret_texts import names_of_environment
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CommandTrain
from pegbox.training.command_line import ALL_PARAMETERS, CONTINUING, HANDED_NAMES, Placeholder, names_in, placeholders
from pegbox.training.command_output import METRICS_FORMS
from pegbox.training.kinds.user_files import files_of_command
from pegbox.training.printed_line import STEP_NAMES
from pegbox.training.tensorboard_events import missing_package

_COMMAND = ("train", "command")
_MOST_BYTES = 1_000_000
"""A program's file beyond this is no source code."""


def check_command(train: CommandTrain, space: Space, workers: int) -> tuple[Problem, ...]:
    """Problems of a command."""
    return (
        *_check_program(train.command[0]),
        *_check_placeholders(train, space),
        *_check_metrics(train.metrics, workers),
    )


def command_warnings(spec: StudySpec, train: CommandTrain) -> tuple[Problem, ...]:
    """What is allowed, and more often than not a mistake."""
    found = list(names_in(train.command, spec.handed_space.parameters))
    sources = _sources(train)
    return (
        *_doubt_that_nothing_is_given(spec.handed_space, found, sources),
        *_doubt_words_for_truth(train, spec.space, found),
        *_doubt_unset_variables(train),
        *_doubt_that_it_continues(spec, {one.name for _, one in found}, sources),
    )


def _doubt_unset_variables(train: CommandTrain) -> Iterable[Problem]:
    for name in names_of_environment(train.command):
        if name not in os.environ:
            message = f"the environment variable {name} is not set here; it must be where the trials run."
            yield Problem(message, _COMMAND)


def _check_program(program: str) -> Iterable[Problem]:
    if placeholders(program) or shutil.which(program):
        return
    yield Problem(
        f"the program {program!r} was not found, or may not be executed. Give its path, or install it.",
        (*_COMMAND, 0),
    )


def _check_placeholders(train: CommandTrain, space: Space) -> Iterable[Problem]:
    known = {*space.parameters, *HANDED_NAMES}
    used: set[str] = set()
    for position, found in names_in(train.command, known):
        used.add(found.name)
        if found.name not in known:
            hint = suggest(found.name, known)
            message = f"no parameter is named {found.name!r}. {hint} For braces that stand for themselves double them."
            yield Problem(message, (*_COMMAND, position))
        elif found.form == "?" and found.name in space.parameters:
            yield from _check_flag(found, space.parameters[found.name], position)
    if not used & set(space.parameters) or used & set(ALL_PARAMETERS):
        return  # the program reads PEGBOX_CONFIGURATION, or is given all
    for name in space.parameters:
        if name not in used and not _is_asked_for(name, space):
            message = f"the command has no {{{name}}}, so {name} has no effect. Add it to train.command."
            yield Problem(message, ("space", name))


def _is_asked_for(name: str, space: Space) -> bool:
    """True if a parameter decides whether others are active, which is effect enough."""
    return any(name in domain.when for domain in space.parameters.values())


def _check_flag(found: Placeholder, domain: AnyDomain, position: int) -> Iterable[Problem]:
    if not set(_values(domain)) <= {True, False}:
        message = (
            f"{{{found.name}?...}} writes one text for true and one for false, and {found.name} has other values. "
            f"Write {{{found.name}}} for the value itself."
        )
        yield Problem(message, (*_COMMAND, position))


def _values(domain: AnyDomain) -> tuple[object, ...]:
    """The values of a domain that lists them; for a range a text, which is no truth value."""
    listed = getattr(domain, "values", None)
    if isinstance(listed, tuple):
        return listed
    return (getattr(domain, "value", "a range"),)


def _check_metrics(metrics: str, workers: int) -> Iterable[Problem]:
    place = ("train", "metrics")
    kind, _, rest = metrics.partition(":")
    if kind == "regex" and rest:
        try:
            groups = re.compile(rest).groupindex
        except re.error as error:
            yield Problem(f"{rest!r} is not a regular expression: {error}. Correct it.", place)
            return
        if not set(groups) - set(STEP_NAMES):
            yield Problem(f"{rest!r} names no metric. Write a named group, such as (?P<loss>\\S+).", place)
    elif kind in {"file", "tensorboard"} and rest:
        if workers > 1 and not placeholders(rest):
            advice = f"Write `{kind}:{{checkpoint_dir}}/{rest}`, and have the program write there."
            yield Problem(f"with {workers} workers all trials would write {rest!r}. {advice}", place)
        if kind == "tensorboard" and (lacking := missing_package()):
            yield Problem(lacking, place)
    elif metrics not in METRICS_FORMS:
        yield Problem(f"metrics are read as one of {', '.join(METRICS_FORMS)}, got {metrics!r}. Choose one.", place)


def _doubt_that_nothing_is_given(space: Space, found: list[tuple[int, Placeholder]], sources: str) -> Iterable[Problem]:
    """A command without a parameter whose files do not read the environment either."""
    names = {one.name for _, one in found}
    if sources and not names & {*space.parameters, *ALL_PARAMETERS} and "PEGBOX_CONFIGURATION" not in sources:
        message = (
            "the command names no parameter, and its files do not read PEGBOX_CONFIGURATION: every trial would be the "
            "same. Hand them over, each as {name} or all of them as {args}."
        )
        yield Problem(message, _COMMAND)


def _doubt_words_for_truth(
    train: CommandTrain, space: Space, found: list[tuple[int, Placeholder]]
) -> Iterable[Problem]:
    """`--amp {amp}` hands over the words true and false, which `type=bool` of argparse takes both for true."""
    truths = [name for name, domain in space.parameters.items() if set(map(type, _values(domain))) == {bool}]
    for position, one in found:
        if one.name in truths and not one.form and not re.match(r"[+~]*\w[\w./@-]*=", train.command[position]):
            flag = _flag(train.command, position, one.name)
            message = (
                f"{one.name} is handed over as the words true and false, and argparse's type=bool takes both for true. "
                f'Write "{{{one.name}?{flag}}}" for a flag, "{{{one.name}?{flag}:--no-{flag[2:]}}}" for a pair of '
                f'flags, or "{{{one.name}?1:0}}" for numbers.'
            )
            yield Problem(message, (*_COMMAND, position))
        elif one.name == "args" and truths and "args" not in space.parameters:
            message = (
                f"{truths[0]} is handed over as --{truths[0]}=true or =false, and argparse's type=bool takes both for "
                "true. {args_no_boolean_flags} writes bare flags."
            )
            yield Problem(message, (*_COMMAND, position))


def _flag(command: Sequence[str], position: int, name: str) -> str:
    """The option that a placeholder stands behind, or the usual one of its name."""
    before = command[position].partition("=")[0] if "=" in command[position] else command[position - 1]
    return before if before.startswith("--") else f"--{name.replace('_', '-')}"


def _doubt_that_it_continues(spec: StudySpec, names: set[str], sources: str) -> Iterable[Problem]:
    """Under a schedule that continues trials, a program that is told nothing of it trains each from zero."""
    schedule = spec.trial_schedule.name
    # Each rung of another fidelity is a training of its own, whose amount is checked as a parameter is.
    if (schedule == "full" and spec.search.method != "freeze_thaw") or not spec.fidelity.is_of_epochs:
        return
    if "epochs" not in names and "PEGBOX_EPOCHS" not in sources:
        message = (
            f"the schedule {schedule} trains trials for a part of their epochs, and the command is not "
            "told how many: each would train in full every time. Add {epochs}, or read PEGBOX_EPOCHS."
        )
        yield Problem(message, _COMMAND)
    if not names & {*CONTINUING} and not any(f"PEGBOX_{name.upper()}" in sources for name in CONTINUING):
        message = (
            f"the schedule {schedule} continues trials, and the command names none of "
            f"{', '.join(f'{{{name}}}' for name in CONTINUING)}: each time it would train from zero, and a checkpoint "
            "in a place of its own would be overwritten by other trials. Write checkpoints to {checkpoint_dir}, and "
            "begin from {resume_dir} where it is given."
        )
        yield Problem(message, _COMMAND)


def _sources(train: CommandTrain) -> str:
    """The text of the program's own files, as far as they lie here."""
    files = [path for path in files_of_command(train.command) if path.stat().st_size < _MOST_BYTES]
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
