"""A network with its preprocessing as an ONNX file."""

from pegbox.training.exporting.answering import Answering
from pegbox.training.exporting.exporter import Exporting, Written, exporting_errors
from pegbox.training.exporting.onnx_graph import (
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


def write_network(request: Exporting) -> Written:
    """Write the file.

    Raises:
        ModelError: ONNX is not installed, or knows no operation that the network consists of.
    """
    versions, how, inputs = onnx_versions(), request.preprocessing, request.predictor.inputs
    output = "probabilities" if how.classes else "prediction"
    with exporting_errors(request, "torch.onnx"):
        model = core_graph(Answering(how, request.predictor.network, inputs), request, output)
        take_texts(model, how)
        if how.classes:
            _answer_likeliest(model)
            give_labels(model, "class_code", request.labels)
        save_graph(model, request.path)
        ask = asker(request.path, how, output)
    return Written(
        inputs=onnx_inputs(how),
        outputs=onnx_outputs(Named(request.labels, output if how.classes else None)),
        classes=how.classes,
        usage=onnx_usage(how),
        versions=versions,
        ask=ask,
    )


def _answer_likeliest(model: object) -> None:
    from onnx import helper

    node = helper.make_node("ArgMax", ["probabilities"], ["class_code"], axis=1, keepdims=0)
    model.graph.node.append(node)  # type: ignore[attr-defined]
