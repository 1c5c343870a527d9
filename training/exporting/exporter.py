"""The seam of an exported file: who writes it, and what it answers once it is written; loads no library of theirs."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from pegbox.schemas.errors import ModelError, suggest
from pegbox.schemas.exported_model import ExportedInput, ExportedOutput, ExportFormat
from pegbox.schemas.model import Form
from pegbox.schemas.preprocessing import Preprocessing

Said = npt.NDArray[Any]
"""Probabilities, shape (n_rows, n_classes), or what is predicted: class codes or numbers, shape (n_rows,)."""


class RawRows(NamedTuple):
    """Rows as an exported file takes them: neither filled in nor scaled."""

    numbers: npt.NDArray[np.float64]
    """Shape (n_rows, n_numeric), NaN where a value is missing."""
    codes: npt.NDArray[np.int64]
    """Shape (n_rows, n_categorical), 0 where a value is missing or of no known level."""

    def as_taken(self, how: Preprocessing) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
        """The numbers in the shape and type that a file takes: (n_rows, n_numeric), or (n_rows, *shape) of arrays."""
        if how.example is None or how.shape is None:
            return self.numbers
        return self.numbers.reshape(-1, *how.shape).astype(number_type(how))

    def words(self, how: Preprocessing) -> npt.NDArray[np.object_]:
        """The categories as texts, shape (n_rows, n_categorical); empty where one is missing."""
        columns = [np.array(["", *feature.levels], dtype=object) for feature in how.categorical]
        texts = [levels[self.codes[:, i]] for i, levels in enumerate(columns)]
        return np.stack(texts, axis=1) if texts else np.empty((len(self.codes), 0), dtype=object)


def number_type(how: Preprocessing) -> Literal["float32", "float64"]:
    """Of the numbers that a file takes: the 256 levels of a picture need no double."""
    return "float32" if how.example is not None and how.example.mode is not None else "float64"


def numbers_input(how: Preprocessing) -> ExportedInput:
    """The input of numbers: columns, or one array for each row."""
    names = tuple(one.name for one in how.numeric) if how.example is None else (how.example.column,)
    shape = (how.shape or ()) if how.example is not None else (len(names),)
    return ExportedInput(name="numbers", type=number_type(how), columns=names, shape=shape)


class Written(NamedTuple):
    """A file that was written.

    Attributes:
        inputs: What it takes.
        outputs: What it gives.
        classes: In the order of its probabilities.
        usage: Python that loads and asks it.
        versions: Of the libraries that it needs.
        ask: What the file answers, loaded as its users do.
    """

    inputs: tuple[ExportedInput, ...]
    outputs: tuple[ExportedOutput, ...]
    classes: tuple[str, ...]
    usage: str
    versions: dict[str, str]
    ask: Callable[[RawRows], Said]


@dataclass(frozen=True, slots=True)
class Exporting:
    """What is to be written.

    Attributes:
        predictor: Of the form that the exporter is for.
        preprocessing: Of its rows.
        labels: The classes as the source writes them, in the order of their codes; empty for regression.
        path: Of the file.
        study: Whose model it is.
        trained: What the study trained, for messages.
    """

    predictor: Any
    preprocessing: Preprocessing
    labels: npt.NDArray[Any]
    path: Path
    study: str
    trained: str


Exporter = Callable[[Exporting], Written]

SUFFIXES: dict[ExportFormat, str] = {"onnx": ".onnx", "torch": ".pt2", "sklearn": ".skops"}
"""Of the files."""


def exporter_of(form: Form, wanted: ExportFormat) -> Exporter:
    """Who writes a model of one form in one format.

    Raises:
        ModelError: Nobody does.
    """
    # Imported for the one that is asked for: each loads a large library.
    match form, wanted:
        case "torch", "onnx":
            from pegbox.training.exporting.onnx_network import write_network

            return write_network
        case "torch", "torch":
            from pegbox.training.exporting.torch_program import write_program

            return write_program
        case "sklearn", "onnx":
            from pegbox.training.exporting.onnx_estimator import write_estimator

            return write_estimator
        case "sklearn", "sklearn":
            from pegbox.training.exporting.skops_pipeline import write_pipeline

            return write_pipeline
    if form == "ensemble":
        raise ModelError(
            "The model is an ensemble, several models whose answers are averaged, which no other format is written of "
            "here. Serve it with load_model, or run the study with `final: best` or `final: refit`."
        )
    known = {"torch": ("onnx", "torch"), "sklearn": ("onnx", "sklearn")}.get(form, ())
    raise ModelError(f"A model of the form {form!r} cannot be written as {wanted!r}. {suggest(wanted, known)}")


def versions_of(*packages: str) -> dict[str, str]:
    """The installed versions.

    Raises:
        ModelError: One is not installed.
    """
    try:
        return {package: version(package) for package in packages}
    except PackageNotFoundError as error:
        raise ModelError(
            f"This export needs {error.name}, which is not installed. Run: pip install 'pegbox[onnx]'"
        ) from error


@contextmanager
def exporting_errors(request: Exporting, library: str) -> Iterator[None]:
    """Turns what a library raises of a model that it cannot write into an error that names both.

    Raises:
        ModelError: It raised.
    """
    try:
        with warnings.catch_warnings():
            # The libraries warn of their own deprecated calls, which nobody here can mend.
            warnings.simplefilter("ignore")
            yield
    except ModelError:
        raise
    except Exception as error:  # they raise whatever their converters meet
        said = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{library} cannot write {request.trained} of the study {request.study!r}: {type(error).__name__}: {said} "
            "Export it in another format, or serve the model with load_model."
        ) from error
