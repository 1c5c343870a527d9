"""A study's history for the analysis: whole, or of a large study an even sample of the trials that have a value.

The sample is read from rows, because replaying a large study's events takes too long for a page.
"""

from collections import defaultdict

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.evaluations import SampledTrial, fresh_seeds, sampled_trials
from pegbox.storage.queries.events import last_selection
from pegbox.storage.queries.studies import history_version
from pegbox.storage.queries.trials import n_trials

MOST_ANALYSED = 2000


def history_for_analysis(file: HistoryFile, spec: StudySpec) -> History:
    """The whole history where it is not too large; of a larger one, a sample of the trials that have a value.

    Trials that a narrowed space does not hold any more are left out.
    """
    history = file.history(spec.name) if n_trials(file, spec.name) <= MOST_ANALYSED else measured_history(file, spec)
    return history.within_space()


def measured_history(file: HistoryFile, spec: StudySpec) -> History:
    """The trials that have a value, completed ones first where there are too many."""
    replicates: dict[int, list[Evaluation]] = defaultdict(list)
    for one in fresh_seeds(file, spec.name):
        replicates[one.trial].append(Evaluation(**one.model_dump(exclude={"trial"})))
    return History(
        spec=spec,
        version=history_version(file, spec.name),
        selection=last_selection(file, spec.name),
        trials=tuple(
            _trial(one, tuple(replicates[one.number])) for one in sampled_trials(file, spec.name, MOST_ANALYSED)
        ),
    )


def _trial(found: SampledTrial, replicates: tuple[Evaluation, ...]) -> Trial:
    return Trial(
        number=found.number,
        configuration=found.configuration,
        seed=found.seed,
        state=found.state,
        budget=found.budget,
        evaluations=(Evaluation(budget=found.budget, metrics=found.metrics, seconds=found.seconds),),
        replicates=replicates,
    )
