"""A network with its preprocessing as a `.pt2` file of `torch.export`, which any torch loads without pegbox."""

import torch

from pegbox.schemas.exported_model import ExportedInput, ExportedOutput
from pegbox.schemas.model import ModelInputs
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.training.exporting.answering import Answering, exported_program
from pegbox.training.exporting.exporter import (
    Exporting,
    RawRows,
    Said,
    Written,
    exporting_errors,
    numbers_input,
    versions_of,
)


def write_program(request: Exporting) -> Written:
    """Write the file.

    Raises:
        ModelError: torch cannot export the network.
    """
    how, inputs = request.preprocessing, request.predictor.inputs
    with exporting_errors(request, "torch.export"):
        program = exported_program(Answering(how, request.predictor.network, inputs), how)
        # An open file, not its name: torch.export asks a name for an ending of its own.
        with request.path.open("wb") as file:
            torch.export.save(program, file)
        loaded = torch.export.load(request.path.open("rb")).module()

    def ask(rows: RawRows) -> Said:
        given = {"numbers": torch.from_numpy(rows.as_taken(how))}
        if how.categorical:
            given["codes"] = torch.from_numpy(rows.codes)
        with torch.inference_mode():
            said: Said = loaded(**given).numpy()
        return said

    return Written(
        inputs=coded_inputs(how),
        outputs=(answer_output(inputs),),
        classes=how.classes,
        usage=_usage(how),
        versions=versions_of("torch"),
        ask=ask,
    )


def coded_inputs(how: Preprocessing) -> tuple[ExportedInput, ...]:
    """Numbers and codes."""
    numbers = numbers_input(how)
    codes = ExportedInput(name="codes", type="int64", columns=tuple(one.name for one in how.categorical))
    return (numbers, codes) if how.categorical else (numbers,)


def answer_output(inputs: ModelInputs) -> ExportedOutput:
    """Probabilities or numbers."""
    if inputs.task == "classification":
        return ExportedOutput(name="probabilities", type="float32", told="Shape (rows, classes), in their order.")
    return ExportedOutput(name="prediction", type="float64", told="Shape (rows,), in units of the target.")


def _usage(how: Preprocessing) -> str:
    codes = ", codes=codes" if how.categorical else ""
    return f"torch.export.load(file).module()(numbers=numbers{codes})"
