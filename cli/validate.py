"""`pegbox validate`: everything that is wrong with a study, before anything is run."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.data_lines import draw_warnings
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.report.configuration_formats import as_yaml
from pegbox.report.data_summary import data_lines
from pegbox.report.number_format import duration, spaced
from pegbox.report.stored_study import Comparison, compare_with_store
from pegbox.schemas.domains import AnyDomain, Constant, Integer
from pegbox.schemas.errors import StudyError
from pegbox.schemas.plan import EPOCHS, counted
from pegbox.schemas.population import POPULATION_METHODS, mutable_parameters
from pegbox.schemas.space import DrawnPreset, Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_file import StudyFile, read_study
from pegbox.schemas.understanding import DataUnderstanding

StudyPath = Annotated[Path, Parameter(help="The study file.")]


def validate(
    study_file: StudyPath, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET
) -> None:
    """Check a study file, its data and its import paths.

    Says of everything that is wrong where it stands and what to do, of a preset what it draws, what is understood of
    the data, and what would change of a study of this name that the store holds.

    Raises:
        StudyError: Something is wrong.
    """
    try:
        study = read_study(study_file)
        # After the file was read: a mistake in its syntax is told at once, without loading what checks a training.
        from pegbox.report.check_study import check_all, study_warnings

        problems, understood = check_all(study.spec)
        if problems:
            raise study.error(problems)
        spec, comparison = read_beside_store(study, store)
    except StudyError as error:
        if json:
            print_json({"valid": False, "problems": [problem._asdict() for problem in error.problems]})
        raise
    warnings = study.error(study_warnings(study.spec))
    if json:
        data = understood.model_dump(mode="json") if understood else None
        most = spec.finalists.after(spec.most_trainings)._asdict()
        warned = [problem._asdict() for problem in warnings.problems]
        told = {
            "valid": True,
            "problems": [],
            "warnings": warned,
            "search": _search(spec),
            "finalists": most,
            "data": data,
        }
        print_json({**told, "study": spec.model_dump(mode="json"), "store": comparison.told})
    else:
        _summarise(study_file, {**_facts(spec), "store": "\n".join(comparison.told)}, spec, understood)
        show_warnings(out(), warnings)


def show_warnings(console: Console, warnings: StudyError) -> None:
    """A line for each thing that is allowed and looks like a mistake, with its place in the study file."""
    for line in str(warnings).splitlines():
        console.print(Text.assemble(("warning: ", "warn"), safe(line)), soft_wrap=True)


def read_checked_study(path: Path) -> StudyFile:
    """A study file that nothing is wrong with, as far as can be told without running it.

    Raises:
        StudyError: Every problem, with its line and column.
    """
    study = read_study(path)
    from pegbox.report.check_study import check_study

    if problems := check_study(study.spec):
        raise study.error(problems)
    return study


def read_beside_store(study: StudyFile, store: Path) -> tuple[StudySpec, Comparison]:
    """A study as it would be run, its preset drawn, beside the one of its name that the store holds.

    Raises:
        StudyError: It cannot go on as the file has it.
    """
    from pegbox.flows.preset_space import draw_space

    spec = draw_space(study.spec, store)
    comparison = compare_with_store(store, spec)
    if comparison.problems:
        raise study.error(comparison.problems)
    return spec, comparison


def _summarise(path: Path, facts: dict[str, str], spec: StudySpec, understood: DataUnderstanding | None) -> None:
    console = out()
    console.print(Text.assemble((safe(str(path)), "name"), " is valid"))
    table = Table.grid(padding=(0, 2))
    for key, value in [*facts.items(), *(data_lines(understood, spec) if understood else [])]:
        table.add_row(Text(key, style="quiet"), Text("\n".join(map(safe, value.splitlines()))))
    show(console, table)
    for warning in draw_warnings(understood) if understood else ():
        console.print(warning, soft_wrap=True)


def _facts(spec: StudySpec) -> dict[str, str]:
    limits = spec.budget.model_dump(exclude_none=True, exclude={"failures"})
    budget = [f"{key} {duration(value) if key == 'time' else value}" for key, value in limits.items()]
    if spec.budget.failures is not None:
        budget.append(f"ends early if the first {spec.budget.failures} trials all fail")
    return {
        "study": spec.name,
        "data": spec.data.source if spec.data else "none",
        "train": f"{spec.train.kind}, {_length(spec)}",
        "space": _space(spec.space),
        **_fixed(spec.space),
        **_changing(spec),
        "objective": ", ".join(f"{goal.goal} {goal.metric}" for goal in spec.goals),
        "search": f"{_method(spec)}, schedule {spec.trial_schedule.told}{_scales(spec)}",
        "budget": ", ".join(budget),
        "finalists": _finalists(spec),
    }


def _length(spec: StudySpec) -> str:
    """Of a trial, and where it is compared if that is not told by epochs."""
    fidelity = spec.fidelity
    if fidelity.is_of_epochs:
        return f"{counted(EPOCHS, spec.full_budget)} a trial"
    rungs = ", ".join(str(rung) for rung in spec.rungs)
    return f"{counted(EPOCHS, spec.train.epochs)} at each rung of a trial, which are {rungs} by {fidelity.of}"


def _finalists(spec: StudySpec) -> str:
    """How many trainings the answer takes beside the search, as far as the study file says it."""
    top, seeds = spec.finalists.after(spec.most_trainings)
    n_trainings, folds = top * seeds, spec.data.split.folds if spec.data else None
    n_epochs = n_trainings * (spec.full_budget if spec.fidelity.is_of_epochs else spec.train.epochs)
    epochs = f", {spaced(n_epochs)} epochs in all" if n_epochs > n_trainings else ""
    who = f"the best {top}" if top > 1 else "the best one"
    each = f" on {folds} folds each" if folds else ""
    cost = f"at most {n_trainings} more training{'s' if n_trainings > 1 else ''}{each}{epochs}"
    is_exact = spec.finalists.is_whole or (spec.budget.trials and spec.trial_schedule.name == "full")
    bound = "" if is_exact else ", and no more than half of what the search takes"
    return f"{who} on {seeds} fresh seed{'s' if seeds > 1 else ''}: {cost}{bound}"


def _space(space: Space) -> str:
    """The parameters; those that a preset has drawn with their domains, as the study file would write them."""
    if not isinstance(space.preset, DrawnPreset):
        return ", ".join(name for name, domain in space.parameters.items() if not isinstance(domain, Constant))
    narrowed = f", narrowed by {', '.join(space.preset.narrowed_by)}" if space.preset.narrowed_by else ""
    domains = {name: _written(domain) for name, domain in space.parameters.items()}
    return f"the preset {space.preset.kind}{narrowed}\n{as_yaml(domains)}".rstrip()


def _fixed(space: Space) -> dict[str, str]:
    """The parameters that are handed over and not searched; no entry where there are none."""
    fixed = {name: domain.value for name, domain in space.parameters.items() if isinstance(domain, Constant)}
    return {"fixed": as_yaml(fixed).rstrip()} if fixed else {}


def _changing(spec: StudySpec) -> dict[str, str]:
    """Of a population, what changes in mid-training and what stays as it is in a member and its copies."""
    if spec.search.method not in POPULATION_METHODS:
        return {}
    mutable = mutable_parameters(spec.search, spec.train, spec.space)
    staying = [
        name
        for name, domain in spec.space.parameters.items()
        if name not in mutable and not isinstance(domain, Constant)
    ]
    stays = (
        f"; {', '.join(staying)} stay{'s' if len(staying) == 1 else ''} fixed in a member and its copies"
        if staying
        else ""
    )
    return {"changing": f"{', '.join(mutable)} in mid-training{stays}"}


def _written(domain: AnyDomain) -> dict[str, Any]:
    whole = {"int": True} if isinstance(domain, Integer) else {}
    return {**domain.model_dump(mode="json", exclude_defaults=True), **whole}


def _search(spec: StudySpec) -> dict[str, str]:
    """The method with the reason for it, and the schedule."""
    from pegbox.search.auto_method import choose_method

    schedule = spec.trial_schedule
    why = {} if schedule.reason is None else {"schedule_reason": schedule.reason}
    return {**choose_method(spec)._asdict(), "schedule": schedule.name, **why}


def _method(spec: StudySpec) -> str:
    """The method and, where `auto` chose it, why."""
    chosen = _search(spec)
    return (
        f"{chosen['method']} (auto: {chosen['reason'].rstrip('.')})"
        if spec.search.method == "auto"
        else chosen["method"]
    )


def _scales(spec: StudySpec) -> str:
    """The ranges that are searched on another scale than the declared one."""
    from pegbox.search.methods import searched_space

    space = searched_space(spec)
    names = [name for name, domain in space.parameters.items() if domain != spec.space.parameters[name]]
    return f"\n{', '.join(names)} by magnitude: the range spans decades" if names else ""
