"""Dropout masks of a stack of perceptrons: each model draws its own, as it would alone."""

from collections.abc import Sequence

import torch

from pegbox.training.hyperparameters.mlp import MlpHyperparameters


class StackedDropout:
    """What each model drops in a step.

    Args:
        settings: Of each model.
        random: The random numbers of each model.
        batch_size: Rows of a step, at most.
        device: Where the masks are used.
    """

    def __init__(
        self,
        settings: Sequence[MlpHyperparameters],
        random: Sequence[torch.Generator],
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._settings, self._random, self._device = settings, random, device
        self._kept = torch.tensor([1 - one.dropout for one in settings], dtype=torch.float64)[:, None, None]
        # Zeros for a model without dropout: each is below the share that is kept, which is all.
        self._drawn = [
            torch.zeros(len(settings), batch_size, max(widths), dtype=torch.float64)
            for widths in zip(*(one.widths for one in settings), strict=True)
        ]

    def masks(self, n_rows: int) -> list[torch.Tensor] | None:
        """Masks of a step for each layer, shape (n_models, n_rows, width); None where nothing is dropped.

        torch keeps a unit where a uniform number of double precision is below the share that is kept.
        """
        if not any(one.dropout for one in self._settings):
            return None
        scale = (1 / self._kept).float()
        masks = []
        for layer, drawn in enumerate(self._drawn):
            for numbers, one, generator in zip(drawn, self._settings, self._random, strict=True):
                if one.dropout:
                    numbers[:n_rows, : one.widths[layer]].uniform_(generator=generator)
            masks.append(((drawn[:, :n_rows] < self._kept) * scale).to(self._device))
        return masks
