"""Which dimension of an image holds its colours; one rule for reading, scaling and building."""

# Grey or RGB, each with or without alpha.
_CHANNELS = {1, 2, 3, 4}
"""A first or last dimension of this size is one of colours where the image is larger."""


def has_channels_last(shape: tuple[int, int, int]) -> bool:
    """True for (height, width, channels), false for (channels, height, width).

    >>> has_channels_last((32, 48, 3)), has_channels_last((3, 32, 48))
    (True, False)
    """
    return shape[2] in _CHANNELS and shape[0] not in _CHANNELS
