"""`pegbox validate`: everything that is wrong with a study, before anything is run."""

from json import dumps as json_dumps
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.report.rounding import duration
from pegbox.schemas.errors import StudyError
from pegbox.schemas.space import DrawnPreset, Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_file import StudyFile, read_study

StudyPath = Annotated[Path, Parameter(help="The study file.")]


def validate(
    study_file: StudyPath, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET
) -> None:
    """Check a study file, its data and its import paths.

    Says of everything that is wrong where it stands and what to do, and of a preset what it draws.

    Raises:
        StudyError: Something is wrong.
    """
    try:
        study = read_checked_study(study_file)
        from pegbox.report.check import check_with_data

        if problems := check_with_data(study.spec):
            raise study.error(problems)
    except StudyError as error:
        if json:
            print_json({"valid": False, "problems": [problem._asdict() for problem in error.problems]})
        raise
    from pegbox.report.presets import draw_space

    spec = draw_space(study.spec, store)
    if json:
        print_json({"valid": True, "problems": [], "study": spec.model_dump(mode="json")})
    else:
        _summarise(study_file, spec)


def read_checked_study(path: Path) -> StudyFile:
    """A study file that nothing is wrong with, as far as can be told without running it.

    Raises:
        StudyError: Every problem, with its line and column.
    """
    study = read_study(path)
    from pegbox.report.check import check_study

    if problems := check_study(study.spec):
        raise study.error(problems)
    return study


def _summarise(path: Path, spec: StudySpec) -> None:
    console = out()
    console.print(Text.assemble((safe(str(path)), "name"), " is valid"))
    table = Table.grid(padding=(0, 2))
    for key, value in _facts(spec).items():
        table.add_row(Text(key, style="quiet"), Text(safe(value)))
    show(console, table)


def _facts(spec: StudySpec) -> dict[str, str]:
    limits = spec.budget.model_dump(exclude_none=True)
    budget = [f"{key} {duration(value) if key == 'time' else value}" for key, value in limits.items()]
    return {
        "study": spec.name,
        "data": spec.data.source if spec.data else "none",
        "train": f"{spec.train.kind}, {spec.full_budget} epoch{'s' if spec.full_budget > 1 else ''} a trial",
        "space": ", ".join(spec.space.parameters),
        **_drawn(spec.space),
        "objective": ", ".join(f"{goal.goal} {goal.metric}" for goal in spec.goals),
        "search": f"{_method(spec)}, schedule {spec.fidelity.schedule}",
        "budget": ", ".join(budget),
    }


def _drawn(space: Space) -> dict[str, str]:
    """What a preset has drawn, as the study file would write it, and which studies narrowed it."""
    if not isinstance(space.preset, DrawnPreset):
        return {}
    narrowed = f" narrowed by {', '.join(space.preset.narrowed_by)}" if space.preset.narrowed_by else ""
    written = space.model_dump(mode="json", exclude_defaults=True)
    domains = ", ".join(f"{name} {json_dumps(written[name])}" for name in space.parameters)
    return {"preset": f"{space.preset.kind}{narrowed}: {domains}"}


def _method(spec: StudySpec) -> str:
    """The method and, where `auto` chose it, why."""
    from pegbox.search.choice import choose_method

    choice = choose_method(spec)
    return f"{choice.method} (auto: {choice.reason.rstrip('.')})" if spec.search.method == "auto" else choice.method
