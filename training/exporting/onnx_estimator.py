"""An estimator with the preprocessing of its rows as an ONNX file; skl2onnx converts the estimator itself."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pegbox.schemas.data import Task
from pegbox.training.exporting.answering import EstimatorMatrix
from pegbox.training.exporting.exporter import Exporting, Written, exporting_errors
from pegbox.training.exporting.onnx_graph import (
    IR_VERSION,
    ML_OPSET,
    OPSET,
    Named,
    asker,
    core_graph,
    give_labels,
    onnx_inputs,
    onnx_outputs,
    onnx_usage,
    onnx_versions,
    save_graph,
    take_texts,
)


def write_estimator(request: Exporting) -> Written:
    """Write the file.

    Raises:
        ModelError: ONNX is not installed, or skl2onnx knows no such estimator.
    """
    versions, how, predictor = onnx_versions("skl2onnx"), request.preprocessing, request.predictor
    known = np.asarray(predictor.estimator.classes_) if how.classes else np.empty(0, dtype=np.int64)
    probabilities = "probabilities" if predictor.has_probabilities else None
    with exporting_errors(request, "skl2onnx"):
        matrix = core_graph(EstimatorMatrix(how, predictor.inputs.cardinalities), request, "matrix")
        model = _joined(matrix, _converted(request, matrix), task=predictor.inputs.task, probabilities=probabilities)
        take_texts(model, how)
        if how.classes:
            give_labels(model, "class_code", request.labels)
        save_graph(model, request.path)
        ask = asker(request.path, how, probabilities or ("label" if how.classes else "prediction"))
    return Written(
        inputs=onnx_inputs(how),
        outputs=onnx_outputs(Named(request.labels, probabilities)),
        classes=tuple(how.classes[code] for code in known),
        usage=onnx_usage(how),
        versions=versions,
        ask=ask,
    )


def _converted(request: Exporting, matrix: Any) -> Any:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    estimator = _with_float32_thresholds(request.predictor.estimator)
    width = matrix.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    # zipmap would give the probabilities as a list of dictionaries.
    options = {id(estimator): {"zipmap": False}} if request.predictor.has_probabilities else None
    with _whole_numbers():
        return to_onnx(
            estimator,
            initial_types=[("matrix", FloatTensorType([None, width]))],
            options=options,
            target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        )


def _with_float32_thresholds(estimator: Any) -> Any:
    """Boosted trees of histograms whose thresholds are those that ONNX can hold.

    ONNX rounds them to the nearest float32, and a row that lies there changes sides. Rounded down, `x <= threshold` is
    what it was for every x in float32, and that is what the matrix holds. skl2onnx sees to this for other trees.
    """
    trees = getattr(estimator, "_predictors", None)
    if not isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor) or trees is None:
        return estimator
    rounded = copy.deepcopy(estimator)
    for iteration in rounded._predictors:
        for tree in iteration:
            exact = tree.nodes["num_threshold"]
            nearest = exact.astype(np.float32)
            down = np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)
            tree.nodes["num_threshold"] = down
    return rounded


@contextmanager
def _whole_numbers() -> Iterator[None]:
    """Has skl2onnx write truth values as the whole numbers that ONNX wants.

    It hands over booleans where boosted trees know missing values, and protobuf 7 takes none for an integer
    (skl2onnx 1.20 with onnx 1.23).
    """
    from skl2onnx.common import _container

    made = _container.make_node

    def make_node(*names: Any, **attributes: Any) -> Any:
        for name, values in attributes.items():
            if isinstance(values, list) and any(isinstance(one, bool | np.bool_) for one in values):
                attributes[name] = [int(one) for one in values]
        return made(*names, **attributes)

    _container.make_node = make_node
    try:
        yield
    finally:
        _container.make_node = made


def _joined(matrix: Any, estimator: Any, *, task: Task, probabilities: str | None) -> Any:
    """One graph of both, whose outputs have our names."""
    from onnx import TensorProto, compose, helper

    estimator.ir_version = IR_VERSION
    named = compose.add_prefix(estimator, "estimator/")
    del named.opset_import[:]
    named.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)])
    outputs = [one.name for one in named.graph.output]
    model = compose.merge_models(matrix, named, io_map=[("matrix", "estimator/matrix")])
    del model.graph.output[:]
    if task == "regression":
        model.graph.initializer.append(helper.make_tensor("flat", TensorProto.INT64, [1], [-1]))
        model.graph.node.append(helper.make_node("Reshape", [outputs[0], "flat"], ["prediction_32"]))
        model.graph.node.append(helper.make_node("Cast", ["prediction_32"], ["prediction"], to=TensorProto.DOUBLE))
        model.graph.output.append(helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["rows"]))
        return model
    model.graph.node.append(helper.make_node("Identity", [outputs[0]], ["class_code"]))
    if probabilities:
        model.graph.node.append(helper.make_node("Identity", [outputs[1]], [probabilities]))
        shape = ["rows", None]
        model.graph.output.append(helper.make_tensor_value_info(probabilities, TensorProto.FLOAT, shape))
    return model
