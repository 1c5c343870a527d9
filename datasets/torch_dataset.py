"""A `torch.utils.data.Dataset` or `DataLoader` of pairs (x, y) as two arrays; other forms are refused."""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

_OWN_LOOP = (
    "What has another form, or parts of its own, is named by train.loaders of the kind torch, which leaves batches as "
    "they are."
)


def is_of_torch(returned: Any) -> bool:
    """True for a data set or loader of torch, or for a collection of them; loads no torch."""
    data = sys.modules.get("torch.utils.data")
    if data is None:  # nothing of it can have been made
        return False
    kinds = (data.Dataset, data.DataLoader)
    several = returned.values() if isinstance(returned, dict) else returned
    return isinstance(returned, kinds) or (
        isinstance(several, tuple | list | type({}.values()))
        and len(several) > 0
        and all(isinstance(one, kinds) for one in several)
    )


def stacked_examples(returned: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """All examples, in their order: inputs of shape (n_rows, *example) and targets of shape (n_rows,).

    Raises:
        ValueError: There are several data sets, no rows, no length, or examples that are not pairs of one shape.
    """
    data = sys.modules["torch.utils.data"]
    if isinstance(returned, tuple | list | dict):
        raise ValueError(f"it holds {len(returned)} data sets, and pegbox splits one itself. {_OWN_LOOP}")
    dataset = returned
    if isinstance(returned, data.DataLoader):
        if returned.collate_fn is not data.default_collate:
            raise ValueError(f"the loader collates its batches itself. {_OWN_LOOP}")
        dataset = returned.dataset  # in its own order: that of a loader may be random
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise ValueError(f"it has no length or is read in one go. {_OWN_LOOP}")
    pairs = [_pair(dataset[place], place) for place in range(len(dataset))]
    if not pairs:
        raise ValueError("it holds no rows.")
    shapes = {inputs.shape for inputs, _ in pairs}
    if len(shapes) > 1:
        raise ValueError(f"its examples are of several shapes, such as {sorted(shapes)[:2]}. {_OWN_LOOP}")
    return np.stack([inputs for inputs, _ in pairs]), np.asarray([target for _, target in pairs])


def _pair(example: Any, place: int) -> tuple[npt.NDArray[Any], Any]:
    if not isinstance(example, tuple | list) or len(example) != 2:
        raise ValueError(f"example {place} is no pair (x, y) but {type(example).__name__}. {_OWN_LOOP}")
    inputs, target = (np.asarray(one) for one in example)
    if target.size != 1:
        raise ValueError(f"the target of example {place} has shape {target.shape}, not one value. {_OWN_LOOP}")
    return np.atleast_1d(inputs), target.reshape(()).item()
