"""An even sample of the trials of a large study that have a value, for statistics that take too long over all."""

from collections import defaultdict

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.evaluations import SampledTrial, fresh_seeds, sampled_trials
from pegbox.storage.queries.events import last_selection
from pegbox.storage.queries.studies import history_version

# Picked by hand. Importance alone could take more (10,000 trials of 10 parameters took 1.8 seconds,
# benchmarks/README.md), but effects and interactions of every objective come on top, and the page waits for all of
# them.
MOST_ANALYSED = 2000


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
        # Only the last evaluation: importance and effects ask for no lower rung.
        evaluations=(Evaluation(budget=found.budget, metrics=found.metrics, seconds=found.seconds),),
        replicates=replicates,
    )
