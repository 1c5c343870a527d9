"""Counts and sums over a study's trials, read from a store: states, failures, spent budget, what was reached."""

from pegbox.report import incumbent_rows
from pegbox.report.incumbent import Front, Incumbent
from pegbox.report.progress import FailureExample, SeedRound, Tally
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.search.warm_start_sources import is_warm_started
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries import events, segments, trials
from pegbox.storage.queries.competing import best_values, leading


def read_tally(file: HistoryFile, spec: StudySpec, elapsed_seconds: float) -> Tally:
    """What the trials of a study add up to, in one pass of small queries."""
    study = spec.name
    kinds = trials.failure_counts(file, study)
    sums = trials.trial_sums(file, study)
    trained = segments.trained_seconds(file, study)
    front = incumbent_rows.front(file, spec)
    leads = leading(file, study)
    seen = None if leads.incumbent is None else incumbent_rows.incumbent(file, spec, leads.incumbent)
    return Tally(
        counts={one.state: one.n for one in trials.state_counts(file, study)},
        failures={one.kind: one.n for one in kinds},
        failure=_failure(file, study, kinds[0].kind) if kinds else None,
        tried=sums.tried,
        epochs=sums.epochs,
        # The budget of completed trials where there are any, because early stopping may end all of them before the
        # full one.
        n_trainings=sums.trained_epochs / (sums.mean_budget or spec.full_budget),
        cost=sums.cost,
        stagnation=_since(file, study, seen, front),
        mean_seconds=sums.mean_seconds,
        elapsed_seconds=elapsed_seconds,
        search_seconds=trained.search,
        finalist_seconds=trained.finalists,
        seed_rounds=tuple(SeedRound(**one.model_dump()) for one in segments.settled_seeds(file, study)),
        best=incumbent_rows.best(leads),
        incumbent=seen,
        best_so_far=best_values(file, spec, incumbent_rows.MOST_POINTS) if len(spec.goals) == 1 else (),
        front=front,
        broken=incumbent_rows.broken_constraints(file, spec),
        search_end=events.search_end(file, study),
        understood=events.understood_output(file, study) if spec.train.kind == "command" else None,
        earlier=events.earlier_studies(file, study) if is_warm_started(spec) else (),
    )


def _failure(file: HistoryFile, study: str, kind: FailureKind) -> FailureExample | None:
    found = trials.last_failure(file, study, kind)
    return FailureExample(trial=found.number, message=found.message) if found else None


def _since(file: HistoryFile, study: str, seen: Incumbent | None, front: Front | None) -> int:
    """Completed trials after the last one that improved on those before it."""
    if seen is None:
        return 0
    last = max(one.trial for one in front.trials) if front else seen.trial
    return trials.n_completed_after(file, study, last)
