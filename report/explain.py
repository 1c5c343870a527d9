"""What a study's history says: hyperparameter importance, effects, advice; data only, computed once a content."""

from collections import defaultdict
from pathlib import Path
from types import MappingProxyType

from pegbox.analysis.advice import Advice
from pegbox.analysis.convergence import N_BEST, Curves
from pegbox.analysis.cost import cost_front
from pegbox.analysis.effects import effects
from pegbox.analysis.health import advise
from pegbox.analysis.importance import Importance, importance
from pegbox.analysis.ranking import ranked
from pegbox.analysis.rung_correlation import rung_correlations
from pegbox.report.data_summary import data_advice, recorded_understanding
from pegbox.report.explanation import Explanation
from pegbox.report.explanation_cache import ExplanationCache, explained_content
from pegbox.report.next_steps import next_steps, tried_out
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.curves import curve
from pegbox.storage.queries.evaluations import SampledTrial, fresh_seeds, sampled_trials
from pegbox.storage.queries.events import last_selection
from pegbox.storage.queries.runs import last_run
from pegbox.storage.queries.studies import history_version, study_names
from pegbox.storage.queries.trials import state_counts

# Picked by hand: each costs a grid of predictions, and beyond the first few the shares lie within their intervals.
N_INTERACTIONS = 4
# Picked by hand: a forest that must tell so few from the rest finds a cause in any of the parameters.
MIN_FAILURES = 5
"""Fewer failures have no cause that could be told."""
MOST_REPLAYED = 20_000
"""Trials; the events of more take minutes to replay (6,000 took 7 s), and advice that needs them all is not given."""

# Picked by hand. Importance alone could take more (10,000 trials of 10 parameters took 1.8 seconds,
# benchmarks/README.md), but effects and interactions of every objective come on top, and the page waits for all of
# them.
MOST_ANALYSED = 2000


def explain_study(root: Path, name: str | None = None) -> Explanation:
    """Explain a study of a store; the same content is computed once and kept in the store's cache, for all readers.

    Args:
        root: The store.
        name: Of the study; the one that was active last where it is None.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
        StoreCorruptError: The store is damaged.
    """
    with StudyReader(root, name) as reader:
        found = explained(StoreLayout(root.absolute()), reader.file, reader.spec)
        steps = next_steps(reader.status(), found.advice, study_names(reader.file))
        return found.model_copy(update={"advice": steps})


def explained(store: StoreLayout, file: HistoryFile, spec: StudySpec) -> Explanation:
    """The explanation of a study that is open already: the kept one where the history holds nothing new for it."""
    kept = ExplanationCache(store, spec.name)
    version = history_version(file, spec.name)
    last = kept.last()
    # By version first: to replay and hash a history takes longer than to look at its number.
    if last is not None and last.version == version:
        return last
    counts = {one.state: one.n for one in state_counts(file, spec.name)}
    n_trials = sum(counts.values())
    # The whole history where it can be had, because advice is tried out on it; the statistics below may take a sample.
    history = file.history(spec.name) if n_trials <= MOST_REPLAYED else None
    is_sampled = history is None or n_trials > MOST_ANALYSED
    basis = measured_history(file, spec) if history is None or is_sampled else history
    content = explained_content(basis)
    # Advice rests on trials that the sample may not hold: it is as new as the whole history.
    key = kept.key_of(content, basis=str(version) if is_sampled else "")
    found = kept.find(key)
    if found is None:
        found = explain(content, history, _curves(file, spec, history))
        advice = tried_out(content, data_advice(recorded_understanding(store, file, spec.name), content))
        found = found.model_copy(update={"advice": (*advice, *found.advice)})
    explanation = found.model_copy(
        update={
            "version": version,
            "n_trials": n_trials,
            "n_failed": counts.get(TrialState.FAILED, 0),
            "n_outside": len(basis.trials) - len(basis.within_space().trials),
            "n_sampled": len(content.trials) if is_sampled else None,
        }
    )
    # Also where it was found: the pointer then says that it is good for this version, and the next reader asks no
    # further.
    kept.keep(key, explanation)
    return explanation


def _curves(file: HistoryFile, spec: StudySpec, history: History | None) -> Curves:
    """Of the first objective, of the trials that lead."""
    # Curves speak of whether training was long enough, which one value by epoch can show and a front cannot.
    if history is None or len(spec.goals) > 1 or not history.competing:
        return {}
    best = ranked(history.within_space(), spec.goals[0])[:N_BEST]
    return {one.number: curve(file, spec.name, spec.goals[0].metric, one.number) for one in best}


def explain(history: History, whole: History | None, curves: Curves = MappingProxyType({})) -> Explanation:
    """Everything that the analysis has to say about some trials of a study.

    Args:
        history: Of the trials that the space holds, all of them or a sample.
        whole: All of them, also those outside of the space; None where they are too many to advise on.
        curves: Trial to the values of the first objective by epoch, of the best.
    """
    history = history.within_space()
    ranking = importance(history)
    # A share of 0 is what the noise leaves of pairs without an interaction.
    pairs = tuple(pair.names for pair in ranking.pairs[:N_INTERACTIONS] if pair.share > 0)
    return Explanation(
        study=history.spec.name,
        version=history.version,
        n_trials=len(history.trials),
        n_failed=len(history.failed),
        selection=history.standing_selection,
        importance=ranking,
        others=tuple(importance(history, objective=at) for at in range(1, len(history.objectives))),
        effects=effects(history, pairs=pairs),
        further_effects=tuple(effects(history, objective=at) for at in range(1, len(history.objectives))),
        costs=effects(history, about="seconds"),
        cost_front=cost_front(history),
        failures=importance(history, about="failure") if len(history.failed) >= MIN_FAILURES else None,
        rungs=rung_correlations(history),
        advice=_advice(whole, ranking, curves),
    )


def _advice(whole: History | None, ranking: Importance, curves: Curves) -> tuple[Advice, ...]:
    """What the trials call for, tried out on the history as a strategy sees it."""
    return () if whole is None else tried_out(whole, advise(explained_content(whole), ranking, curves))


def measured_history(file: HistoryFile, spec: StudySpec) -> History:
    """The trials that have a value, completed ones first where there are too many."""
    run, replicates = last_run(file, spec.name), defaultdict[int, list[Evaluation]](list)
    for one in fresh_seeds(file, spec.name):
        replicates[one.trial].append(Evaluation(**one.model_dump(exclude={"trial"})))
    return History(
        spec=spec,
        version=history_version(file, spec.name),
        selection=last_selection(file, spec.name),
        data_fingerprint=run.data_fingerprint if run else None,
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
