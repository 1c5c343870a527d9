"""What may change of a study between two runs, and what such a change means for its trials; writes nothing."""

from pegbox.schemas.errors import Problem, StudyMismatchError
from pegbox.schemas.events import Event, RunStarted, StudyOpened, TrialReopened
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial


def changes(before: History, now: StudySpec, may_change: tuple[str, ...] = ()) -> list[Event]:
    """The events of going on with a study as it is wanted now; none where nothing changed.

    Args:
        before: As the store has it.
        now: As it is wanted.
        may_change: Parts that differ on purpose.

    Raises:
        StudyMismatchError: Its trials could not be compared with the earlier ones.
    """
    if now == before.spec:
        return []
    check_same_study(before.spec, now, may_change)
    check_full_budget(before, now)
    short = [trial.number for trial in before.completed if _is_short(trial, now)]
    return [StudyOpened(study=now.name, spec=now), *(TrialReopened(study=now.name, trial=one) for one in short)]


def _is_short(trial: Trial, now: StudySpec) -> bool:
    """True if a trial was completed at a lower budget than others will be; not where patience ended it."""
    return trial.budget == trial.to_budget < now.full_budget and now.space.contains(trial.configuration)


def check_same_study(before: StudySpec, now: StudySpec, may_change: tuple[str, ...] = ()) -> None:
    """Refuse to go on with a study whose trials could not be compared with the earlier ones.

    Args:
        before: As the store has it.
        now: As it is wanted.
        may_change: Parts that differ on purpose.

    Raises:
        StudyMismatchError: The space, objectives, data or training differ.
    """
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    parts = [part for part in ("space", "objective", "objectives", "data", "train") if part not in may_change]
    problems = [
        Problem(
            f"the store holds a study {now.name!r} with another {part}: {_differing(old[part], new[part])}. Give this "
            "study another name, or go back to the earlier file.",
            (part,),
        )
        for part in parts
        if old[part] != new[part]
    ]
    if problems:
        raise StudyMismatchError(problems)


def check_full_budget(before: History, now: StudySpec) -> None:
    """Refuse to compare trials at a budget that some of them are beyond.

    Raises:
        StudyMismatchError: The full budget was lowered to what trials were trained to, or below.
    """
    if now.full_budget >= before.spec.full_budget:
        return
    reached = max((max(trial.budget, trial.to_budget) for trial in before.trials), default=0)
    if reached >= now.full_budget:
        raise StudyMismatchError(
            Problem(
                f"trials of study {now.name!r} were trained to {reached} already, and cannot be compared with others "
                f"that end at {now.full_budget}. Keep fidelity.max at {before.spec.full_budget} or above, or give the "
                "study another name.",
                ("fidelity", "max"),
            )
        )


def check_same_data(before: History, run: RunStarted) -> None:
    """Refuse to go on with a study whose trials were trained on data that is not there any more.

    Raises:
        StudyMismatchError: The data is declared as before, but its content changed.
    """
    if before.data_fingerprint is None or run.data_fingerprint in (None, before.data_fingerprint):
        return
    raise StudyMismatchError(
        Problem(
            f"the data of study {before.spec.name!r} changed since its last run, from {before.data_fingerprint[:8]} to "
            f"{str(run.data_fingerprint)[:8]}, and trials on other data cannot be compared. Give the study another "
            "name, or let `pegbox schedule` look after it: it scores the incumbent on the new data first.",
            ("data",),
        )
    )


def _differing(old: object, new: object) -> str:
    """The first entry that differs, in a few words."""
    if isinstance(old, dict) and isinstance(new, dict):
        name = next(key for key in [*new, *old] if old.get(key) != new.get(key))
        return f"{name} was {old.get(name)!r}, is now {new.get(name)!r}"
    return f"it was {old!r}, is now {new!r}"
