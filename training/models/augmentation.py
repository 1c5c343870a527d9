"""Random changes of training images that leave their meaning; from torch's global random numbers."""

import torch


def augment(images: torch.Tensor, *, shift: int, flip: bool, noise: float) -> torch.Tensor:
    """Each image moved, mirrored and made noisy on its own; shape (n, channels, height, width) in and out."""
    if shift:
        images = _move(images, shift)
    if flip:
        mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
        images = torch.where(mirrored, images.flip(3), images)
    return images + noise * torch.randn_like(images) if noise else images


def _move(images: torch.Tensor, pixels: int) -> torch.Tensor:
    """Each image moved by up to so many pixels along both axes; its border is repeated."""
    n, _, height, width = images.shape
    rows = _moved_places(n, height, pixels, images.device)
    columns = _moved_places(n, width, pixels, images.device)
    which = torch.arange(n, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _moved_places(n: int, size: int, pixels: int, device: torch.device) -> torch.Tensor:
    """For each image, which row (or column) comes to each place, shape (n, size)."""
    offsets = torch.randint(-pixels, pixels + 1, (n, 1), device=device)
    return (torch.arange(size, device=device)[None, :] + offsets).clamp(0, size - 1)
