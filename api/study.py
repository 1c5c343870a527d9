"""`pegbox.Study`: one study from Python, by its file, a mapping or keywords; the command line runs the same one."""

import asyncio
import contextlib
import html
import os
import shlex
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from pegbox.api.plots import Plots, framed, page_document
from pegbox.api.tables import Form, as_form
from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import NotFoundError, StudyError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_file import read_study
from pegbox.schemas.train import IMPORTED
from pegbox.schemas.trial import Trial
from pegbox.schemas.validation_messages import validation_problems
from pegbox.storage.queries.lineage import schedule_of
from pegbox.storage.sharing.address import local_root

DEFAULT_STORE = ".pegbox"

# What a screen shows of a page without scrolling the notebook; picked by hand.
FRAME_HEIGHT = 720


class Study:
    """One study: run it, ask it, and read what came of it.

    `Study("study.yaml")`, `Study({...})` with what stands in such a file, or its sections by keyword:

        study = pegbox.Study(
            name="digits",
            space={"lr": pegbox.Float(1e-4, 1e-1, log=True)},
            objective={"metric": "val_loss"},
            budget={"trials": 20},
        )

    Args:
        study: Path of a study file, or its content.
        store: Directory of the history; `PEGBOX_STORE`, or `.pegbox` here.
        sections: Sections that replace those of `study`. `train` may be left out, or hold `epochs` alone, where `run`
            is given a function or the study is asked and told.

    Raises:
        StudyError: The study is not valid; carries every problem.
    """

    def __init__(
        self,
        study: str | Path | Mapping[str, Any] | StudySpec | None = None,
        /,
        *,
        store: str | Path | None = None,
        **sections: Any,
    ) -> None:
        self._raw = {**_content(study), **sections}
        self.store = local_root(store or os.environ.get("PEGBOX_STORE") or DEFAULT_STORE)
        self._dialogue: Any = None
        self.spec = self._spec(None)

    @property
    def name(self) -> str:
        """Names the study in the store."""
        return self.spec.name

    def run(self, train: Callable[..., Any] | None = None, *, progress: bool | None = None) -> Any:
        """Run the study from where its history ends, as `pegbox run` does, and choose a winner.

        Args:
            train: The function that trains, also one of a notebook cell or a closure: it is called in worker processes,
                with parameters by name and `trial`. None where the study says itself what trains.
            progress: Whether a cell of a notebook shows how the study stands; where it is None, in notebooks only.

        Returns:
            The selection: `winner`, its `configuration`, values on fresh seeds, `test_metrics`.

        Raises:
            StudyError: The study or the function cannot be used.
            StudyInterruptedError: Ctrl-C; running it again goes on.
            NoTrialSucceededError: No trial has a value.
        """
        from pegbox.api.progress_cell import ProgressCell, notebook_display
        from pegbox.flows.served_run import run_served
        from pegbox.report.check_study import check_study
        from pegbox.report.stored_study import compare_with_store
        from pegbox.storage.store import open_store

        self.close()
        layout = open_store(self.store)
        if train is not None:
            self._refuse_other_code(train)
        spec = self._spec(train)
        if problems := check_study(spec):
            raise StudyError(problems, spec.name)
        comparison = compare_with_store(layout.root, spec)
        if comparison.problems:
            raise StudyError(comparison.problems, spec.name)
        if comparison.has_changes:
            warnings.warn(f"{spec.name}: " + "; ".join(comparison.told), stacklevel=2)
        # As quiet as the command line, which sends Prefect's words to a log of the store. Read when it is imported.
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
        show = notebook_display() if progress in {None, True} else None
        with ProgressCell(layout.root, spec.name, show):
            selection, notices = run_served(spec, layout, keeps_server=True)
        for notice in notices:
            warnings.warn(notice, stacklevel=2)
        return selection

    async def run_async(self, train: Callable[..., Any] | None = None, *, progress: bool | None = None) -> Any:
        """`run` for `asyncio`: other tasks go on meanwhile. Ctrl-C then does not wait for the trials that run."""
        return await asyncio.to_thread(self.run, train, progress=progress)

    def ask(self) -> Any:
        """The next trial for a loop of your own: `number`, `configuration`, `seed`, `from_budget`, `budget`.

        It is recorded before it is handed out. What was asked and never told is handed out again to whoever asks next
        in another process. The study is held until `close`, or the end of the `with` block.

        Returns:
            None once the search has ended.

        Raises:
            SearchError: The schedule waits for trials that were asked for.
            StoreBusyError: Another process runs the study.
        """
        return self._open().ask()

    def tell(self, trial: Any, metrics: Mapping[str, float], *, seconds: float = 0.0) -> None:
        """Say what a trial measured at its budget.

        Args:
            trial: What `ask` gave, or its number.
            metrics: By name; the objective among them. One that is not finite makes the trial diverged.
            seconds: That training took.

        Raises:
            StudyError: It was not asked for or was told already, or the objective is missing.
        """
        self._open().tell(_number(trial), metrics, seconds=seconds)

    def fail(self, trial: Any, message: str) -> None:
        """Say that a trial failed; the search learns from it, and does not try it again.

        Raises:
            StudyError: It was not asked for, or was told already.
        """
        self._open().fail(_number(trial), message)

    @property
    def best(self) -> dict[str, Any] | None:
        """The answer, with `number`, `value`, `params` and `metrics`; None while no trial competes.

        Of a population it has a `schedule` as well: the `params` of each stage and the epoch that it lasts `to_epoch`.
        """
        with self._history() as history:
            best: dict[str, Any] | None = history.best(self.name)
            stages = schedule_of(history, self.name, best["number"]) if best else ()
        if best is not None and stages:
            best["schedule"] = [{"params": dict(one.configuration), "to_epoch": one.to_budget} for one in stages]
        return best

    @property
    def best_configuration(self) -> Configuration | None:
        """The parameters of the answer; None while no trial competes."""
        with self._history() as history:
            best: Trial | None = history.history(self.name).best
        return None if best is None else best.configuration

    def trials(self, form: Form = "auto") -> Any:
        """One row a trial, with a column for each parameter.

        Args:
            form: `auto` for pandas, polars or Arrow, whichever is there first; or one of these, or `rows`.
        """
        with self._history() as history:
            return as_form(history.trials(self.name), form)

    def sql(self, query: str, form: Form = "auto") -> Any:
        """Ask the whole store; tables and views are told in the reference.

        Raises:
            QueryError: The query is not valid.
        """
        with self._history() as history:
            return as_form(history.sql(query), form)

    def page(self, only: str | None = None) -> str:
        """The study's page as HTML that needs no network; also what a notebook shows of the study.

        Args:
            only: One block of it, by the id that it has in the page; `plot` names them.

        Raises:
            NotFoundError: The study has not begun.
        """
        with self._history():  # brings the snapshot up to date
            return page_document(self.store, self.name, only)

    @property
    def plot(self) -> Plots:
        """One block of the page at a time: `study.plot.effects()`."""
        return Plots(self)

    def close(self) -> None:
        """Let go of a study that was asked; nothing otherwise."""
        if self._dialogue is not None:
            self._dialogue.close()
            self._dialogue = None

    def _open(self) -> Any:
        if self._dialogue is None:
            from pegbox.api.asking import Dialogue

            self._dialogue = Dialogue(self.spec, self.store)
        return self._dialogue

    def _refuse_other_code(self, train: Callable[..., Any]) -> None:
        """Refuse to go on with a function that was edited: its trials would not compare with the earlier ones.

        Raises:
            StudyError: Trials were completed with another one.
        """
        from pegbox.api.closures import has_other_code

        if not callable(train) or not has_other_code(train, self.name, self.store):
            return
        with contextlib.suppress(NotFoundError), self._history() as history:
            if not history.history(self.name).completed:
                return
            message = (
                f"the function was edited since trials of study {self.name!r} were completed, and theirs would not "
                f"compare with its values. Give the study another name, or make this one free: "
                f"`pegbox forget {shlex.quote(self.name)}`."
            )
            raise StudyError(message, self.name)

    def _history(self) -> Any:
        from pegbox.storage.history_file import open_history

        if self._dialogue is not None:
            self._dialogue.publish()
        return open_history(self.store)

    def _spec(self, train: Callable[..., Any] | None) -> StudySpec:
        """The study with what trains it: a function, what it says itself, or nothing that is here."""
        raw = dict(self._raw)
        said = raw.get("train") or {}
        if train is not None:
            from pegbox.api.closures import import_path_of

            if isinstance(said, Mapping) and said.get("kind", "function") != "function":
                raise StudyError(
                    f"run is given a function, and train.kind is {said['kind']!r}. Leave one out.", self.name
                )
            raw["train"] = {**said, "kind": "function", "function": import_path_of(train, self.name, self.store)}
        elif isinstance(said, Mapping) and "kind" not in said:
            raw["train"] = {**said, "kind": "function", "function": IMPORTED}
        try:
            return StudySpec.model_validate(raw)
        except ValidationError as error:
            raise StudyError(validation_problems(error, raw), str(raw.get("name", "study"))) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        names = ", ".join(self.spec.space.parameters)
        goals = ", ".join(f"{goal.goal} {goal.metric}" for goal in self.spec.goals)
        return f"<study {self.name!r}: {goals} over {names}>"

    def _repr_html_(self) -> str:
        """The page in a frame of its own; the words alone before the study has begun."""
        with contextlib.suppress(NotFoundError):
            return framed(self.page(), FRAME_HEIGHT)
        return f"<pre>{html.escape(repr(self))}</pre>"


def _content(study: str | Path | Mapping[str, Any] | StudySpec | None) -> dict[str, Any]:
    if isinstance(study, str | Path):
        return read_study(Path(study)).spec.model_dump(mode="json", exclude_unset=True)
    if isinstance(study, StudySpec):
        return study.model_dump(mode="json", exclude_unset=True)
    if study is not None and not isinstance(study, Mapping):
        raise StudyError(f"a study is a path, a mapping or keywords, got {study!r:.100}.")
    return dict(study or {})


def _number(trial: Any) -> Any:
    return getattr(trial, "number", trial)
