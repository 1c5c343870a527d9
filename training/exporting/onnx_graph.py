"""ONNX graphs around a core: texts become codes in front of it, codes become class names behind it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pegbox.schemas.exported_model import ExportedInput, ExportedOutput
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.training.exporting.answering import exported_program
from pegbox.training.exporting.exporter import Exporting, RawRows, Said, numbers_input, versions_of

# The first that torch writes, and known to onnxruntime since 1.14.
OPSET = 18
ML_OPSET = 3
"""Of `ai.onnx.ml`, whose LabelEncoder reads texts."""
# The one that goes with opset 18; torch writes a later number that its graphs make no use of.
IR_VERSION = 8


class Named(NamedTuple):
    """What a graph of classes or numbers ends in."""

    labels: npt.NDArray[Any]
    """The classes as the source writes them, in the order of their codes; empty for regression."""
    probabilities: str | None
    """The name of the output that holds them."""


def core_graph(module: nn.Module, request: Exporting, output: str) -> Any:
    """A torch module that takes numbers and codes, as an ONNX model."""
    program = exported_program(module, request.preprocessing)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns that torchvision is missing, which no model here needs
    try:
        written = torch.onnx.export(program, (), output_names=[output], opset_version=OPSET, dynamo=True, verbose=False)
    finally:
        log.setLevel(level)
    assert written is not None
    return _cleaned(written.model_proto)


def _cleaned(model: Any) -> Any:
    """Without the notes of torch: they hold the stack, and with it the paths of this machine."""
    model.ir_version = IR_VERSION
    for one in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        del one.metadata_props[:]
        one.doc_string = ""
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
    return model


def take_texts(model: Any, how: Preprocessing) -> None:
    """Put in front of the core what makes codes of texts: `categories` instead of `codes`."""
    from onnx import TensorProto, helper

    if not how.categorical:
        return
    nodes = []
    for i, feature in enumerate(how.categorical):
        at = f"category_{i}"
        model.graph.initializer.append(helper.make_tensor(f"{at}_place", TensorProto.INT64, [1], [i]))
        nodes += [
            helper.make_node("Gather", ["categories", f"{at}_place"], [f"{at}_text"], axis=1),
            helper.make_node(
                "LabelEncoder",
                [f"{at}_text"],
                [f"{at}_code"],
                domain="ai.onnx.ml",
                keys_strings=list(feature.levels),
                values_int64s=list(range(1, len(feature.levels) + 1)),
                default_int64=0,
            ),
        ]
    coded = [f"category_{i}_code" for i in range(len(how.categorical))]
    nodes.append(helper.make_node("Concat", coded, ["codes"], axis=1))
    for place, node in enumerate(nodes):
        model.graph.node.insert(place, node)
    kept = [one for one in model.graph.input if one.name != "codes"]
    del model.graph.input[:]
    shape = ["rows", len(how.categorical)]
    model.graph.input.extend([*kept, helper.make_tensor_value_info("categories", TensorProto.STRING, shape)])
    if all(one.domain != "ai.onnx.ml" for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))


def give_labels(model: Any, codes: str, labels: npt.NDArray[Any]) -> None:
    """Put behind the core what makes classes, as the source writes them, of their codes: `label`, the first output."""
    from onnx import helper, numpy_helper

    words = labels.astype(object) if labels.dtype.kind in "OU" else labels
    tensor = numpy_helper.from_array(words, "class_names")
    model.graph.initializer.append(tensor)
    model.graph.node.append(helper.make_node("Gather", ["class_names", codes], ["label"], axis=0))
    others = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend([helper.make_tensor_value_info("label", tensor.data_type, ["rows"]), *others])


def save_graph(model: Any, path: Path) -> None:
    """Check and write it."""
    import onnx

    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def asker(path: Path, how: Preprocessing, output: str) -> Callable[[RawRows], Said]:
    """Asks the file in onnxruntime for one of its outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def ask(rows: RawRows) -> Said:
        given: dict[str, Any] = {"numbers": rows.as_taken(how)}
        if how.categorical:
            given["categories"] = rows.words(how)
        return np.asarray(session.run([output], given)[0])

    return ask


def onnx_inputs(how: Preprocessing) -> tuple[ExportedInput, ...]:
    """Numbers and texts."""
    numbers = numbers_input(how)
    texts = ExportedInput(name="categories", type="string", columns=tuple(one.name for one in how.categorical))
    return (numbers, texts) if how.categorical else (numbers,)


def onnx_outputs(named: Named) -> tuple[ExportedOutput, ...]:
    """The label and its probabilities, or the number."""
    if not len(named.labels):
        return (ExportedOutput(name="prediction", type="float64", told="Shape (rows,), in units of the target."),)
    kind = "string" if named.labels.dtype.kind in "OU" else str(named.labels.dtype)
    label = ExportedOutput(name="label", type=kind, told="Shape (rows,): the class as the source writes it.")
    if named.probabilities is None:
        return (label,)
    told = "Shape (rows, classes), in the order of `classes`."
    return label, ExportedOutput(name=named.probabilities, type="float32", told=told)


def onnx_usage(how: Preprocessing) -> str:
    """Python that asks the file."""
    given = '{"numbers": numbers, "categories": categories}' if how.categorical else '{"numbers": numbers}'
    return f"onnxruntime.InferenceSession(file).run(None, {given})"


def onnx_versions(*more: str) -> dict[str, str]:
    """Of what writes and reads ONNX.

    Raises:
        ModelError: One is not installed.
    """
    return versions_of("onnx", "onnxruntime", "onnxscript", "torch", *more)
