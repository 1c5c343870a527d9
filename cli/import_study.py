"""`pegbox import`: takes over a study that Optuna or Hyperopt made; the formats are those of `integrations`."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from pegbox.cli.console import err, out, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.schemas.errors import StoreError, StudyError

Program = Literal["optuna", "hyperopt"]
Source = Annotated[
    str, Parameter(help="An Optuna URL, SQLite or journal file, or a pickle or JSON file of Hyperopt's documents.")
]
DOCUMENT_SUFFIXES = {".json", ".pkl", ".pickle"}


@Parameter(name="*")
@dataclass(frozen=True)
class Origin:
    """What the source alone does not tell.

    Attributes:
        program: That made it.
        study: Its name there.
        name: Its name here.
        space: A study file with the space that was searched.
    """

    program: Annotated[
        Program | None, Parameter(name="--from", help="The program that made it; told from the source where left out.")
    ] = None
    study: Annotated[
        str | None, Parameter(help="Name of the study in the Optuna storage; not needed where it holds one alone.")
    ] = None
    name: Annotated[
        str | None, Parameter(help="Name of the study here; its name in Optuna or that of the file where left out.")
    ] = None
    space: Annotated[
        Path | None,
        Parameter(help="Study file with the space that Hyperopt searched; its documents tell only what was tried."),
    ] = None


UNSAID = Origin()


def import_study(
    source: Source,
    *,
    origin: Origin = UNSAID,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Take over a study of Optuna or Hyperopt.

    Raises:
        StudyError: Options do not go together.
        StoreError: The source cannot be read, or the store holds a study of that name already.
    """
    if (origin.program or _maker(source)) == "hyperopt":
        called, n_trials = _from_hyperopt(store, source, origin)
    else:
        called, n_trials = _from_optuna(store, source, origin)
    if json:
        print_json({"study": called, "trials": n_trials})
        return
    out().print(f"{safe(called)}: {n_trials} trials taken over from {safe(source)}")
    err().print(f"next: pegbox explain {safe(called)}", style="quiet")


def _maker(source: str) -> Program:
    return "hyperopt" if "://" not in source and Path(source).suffix in DOCUMENT_SUFFIXES else "optuna"


def _from_hyperopt(store: Path, source: str, origin: Origin) -> tuple[str, int]:
    """Its name here, and the number of its trials."""
    if origin.study is not None:
        said = f"a Hyperopt search has no name, got --study {origin.study!r}. Name it with --name."
        raise StudyError(said, "pegbox import")
    from pegbox.integrations.hyperopt_file import read_documents
    from pegbox.report.import_export import import_hyperopt
    from pegbox.storage.store import open_store

    documents, space = read_documents(Path(source)), _space(origin.space)
    name = origin.name or Path(source).stem
    return name, import_hyperopt(open_store(store), documents, name, space)


def _space(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    from pegbox.schemas.study_file import read_study

    return read_study(path).spec.space.model_dump(mode="json")


def _from_optuna(store: Path, source: str, origin: Origin) -> tuple[str, int]:
    """Its name here, and the number of its trials."""
    if origin.space is not None:
        said = f"Optuna knows the space, got --space {str(origin.space)!r}. Leave it out."
        raise StudyError(said, "pegbox import")
    # Before Optuna is loaded: it would make an empty storage at a mistyped path, and say nothing.
    _check_there(source)
    from pegbox.integrations.optuna_storage import optuna_studies
    from pegbox.report.import_export import import_optuna
    from pegbox.storage.store import open_store

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls its journals experimental
        # Asked first, since the name is needed for what is told at the end, also where the user left it out.
        known = optuna_studies(source)
        study = known[0] if origin.study is None and len(known) == 1 else origin.study
        n_trials = import_optuna(open_store(store), source, study, origin.name)
    return origin.name or str(study), n_trials


def _check_there(source: str) -> None:
    """Optuna would make what is missing."""
    is_file = "://" not in source or source.startswith("sqlite:///")
    path = Path(source.removeprefix("sqlite:///"))
    if is_file and not path.is_file():
        raise StoreError(
            f"There is no file {str(path)!r} to import. Name an Optuna storage, by its URL or its file, or a file of "
            "Hyperopt's documents."
        )
