"""The Sobol sequence, scrambled: a low-discrepancy sequence whose points can be asked for by number.

Own code for the same points as those of `scipy.stats.qmc.Sobol`, because loading `scipy.stats` takes two thirds of a
second of CPU, which the first ask of most studies would spend on it alone.
"""

import numpy as np
import numpy.typing as npt

from pegbox.search.space.axes import Array

Integers = npt.NDArray[np.int64]

BITS = 30
"""Of a coordinate, as scipy has them; 2**30 is also how many points there are."""

# fmt: off
DIRECTIONS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (1, (1,) * BITS),
    (3, (1,)), (7, (1, 3)), (11, (1, 3, 1)), (13, (1, 1, 1)), (19, (1, 1, 3, 3)), (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)), (41, (1, 1, 5, 5, 5)), (47, (1, 1, 7, 11, 19)), (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)), (61, (1, 3, 5, 5, 31)), (67, (1, 3, 3, 9, 7, 49)), (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)), (103, (1, 1, 1, 15, 7, 5)), (109, (1, 3, 1, 15, 13, 25)),
    (115, (1, 1, 5, 5, 19, 61)), (131, (1, 3, 7, 11, 23, 15, 103)), (137, (1, 3, 7, 13, 13, 15, 69)),
    (143, (1, 1, 3, 13, 7, 35, 63)), (145, (1, 3, 5, 9, 1, 25, 53)), (157, (1, 3, 1, 13, 9, 35, 107)),
    (167, (1, 3, 1, 5, 27, 61, 31)), (171, (1, 1, 5, 11, 19, 41, 61)), (185, (1, 3, 5, 3, 3, 13, 69)),
    (191, (1, 1, 7, 13, 1, 19, 1)), (193, (1, 3, 7, 5, 13, 19, 59)), (203, (1, 1, 3, 9, 25, 29, 41)),
    (211, (1, 3, 5, 13, 23, 1, 55)), (213, (1, 3, 7, 3, 13, 59, 17)), (229, (1, 3, 1, 3, 5, 53, 69)),
    (239, (1, 1, 5, 5, 23, 33, 13)), (241, (1, 1, 7, 7, 1, 61, 123)), (247, (1, 1, 7, 9, 13, 61, 49)),
    (253, (1, 3, 3, 5, 3, 55, 33)), (285, (1, 3, 1, 15, 31, 13, 49, 245)), (299, (1, 3, 5, 15, 31, 59, 63, 97)),
    (301, (1, 3, 1, 11, 11, 11, 77, 249)), (333, (1, 3, 1, 11, 27, 43, 71, 9)), (351, (1, 1, 7, 15, 21, 11, 81, 45)),
    (355, (1, 3, 7, 3, 25, 31, 65, 79)), (357, (1, 3, 1, 1, 19, 11, 3, 205)), (361, (1, 1, 5, 9, 19, 21, 29, 157)),
    (369, (1, 3, 7, 11, 1, 33, 89, 185)), (391, (1, 3, 3, 3, 15, 9, 79, 71)), (397, (1, 3, 7, 11, 15, 39, 119, 27)),
    (425, (1, 1, 3, 1, 11, 31, 97, 225)), (451, (1, 1, 1, 3, 23, 43, 57, 177)), (463, (1, 3, 7, 7, 17, 17, 37, 71)),
    (487, (1, 3, 1, 5, 27, 63, 123, 213)), (501, (1, 1, 3, 5, 11, 43, 53, 133)),
    (529, (1, 3, 5, 5, 29, 17, 47, 173, 479)), (539, (1, 3, 3, 11, 3, 1, 109, 9, 69)),
    (545, (1, 1, 1, 5, 17, 39, 23, 5, 343)), (557, (1, 3, 1, 5, 25, 15, 31, 103, 499)),
    (563, (1, 1, 1, 11, 11, 17, 63, 105, 183)), (601, (1, 1, 5, 11, 9, 29, 97, 231, 363)),
    (607, (1, 1, 5, 15, 19, 45, 41, 7, 383)), (617, (1, 3, 7, 7, 31, 19, 83, 137, 221)),
    (623, (1, 1, 1, 3, 23, 15, 111, 223, 83)), (631, (1, 1, 5, 13, 31, 15, 55, 25, 161)),
    (637, (1, 1, 3, 13, 25, 47, 39, 87, 257)),
)
# fmt: on
"""Of each dimension the bits of its primitive polynomial and the first direction numbers.

Source: Joe & Kuo 2008, `new-joe-kuo-6.21201`, the first 64 dimensions.
"""


class SobolSequence:
    """A Sobol sequence scrambled by random lower triangular matrices and a digital shift.

    Beyond 64 dimensions the others are independent random numbers: the first hundreds of points, which are all that a
    study asks for, cover pairs of such late dimensions of a Sobol sequence no better (padding: Spanier 1995).

    Source: Sobol' 1967; Matoušek 1998 for the scrambling; Antonov & Saleev 1979 for Gray's code.
    """

    def __init__(self, n_dims: int, seed: int) -> None:
        self._n_padded, self._seed = max(n_dims - len(DIRECTIONS), 0), seed
        n_covered = n_dims - self._n_padded
        # Spawned, in the order, and of the type in which scipy draws them, so that the points are the same.
        rng = np.random.default_rng(seed).spawn(1)[0]
        powers = 2 ** np.arange(BITS)
        self._shift = rng.integers(2, size=(n_covered, BITS), dtype=np.uint32) @ powers
        lower = np.tril(rng.integers(2, size=(n_covered, BITS, BITS), dtype=np.uint32))
        lower[:, np.arange(BITS), np.arange(BITS)] = 1
        plain = np.array([_direction_numbers(*entry) for entry in DIRECTIONS[:n_covered]]).reshape(-1, BITS)
        # Bits from the highest on, shape (n_dims, BITS, BITS): a scrambled bit is a sum of those above it, modulo 2.
        bits = plain[:, :, None] >> np.arange(BITS)[::-1] & 1
        self._numbers = np.einsum("dpk,djk->djp", lower, bits) % 2 @ powers[::-1]

    def point(self, number: int) -> Array:
        """The point of that number, from 0 to 2**30 - 1, shape (n_dims,)."""
        chosen = (number ^ number >> 1) >> np.arange(BITS) & 1 == 1
        units = (np.bitwise_xor.reduce(self._numbers[:, chosen], axis=1) ^ self._shift) / 2**BITS
        return np.append(units, np.random.default_rng([self._seed, number]).random(self._n_padded))


def _direction_numbers(polynomial: int, first: tuple[int, ...]) -> list[int]:
    """All direction numbers of a dimension, each shifted to where its bit lies.

    Source: Bratley & Fox 1988, equation 2.
    """
    degree, numbers = polynomial.bit_length() - 1, list(first)
    for position in range(len(numbers), BITS):
        new = numbers[position - degree]
        for step in range(1, degree + 1):
            if polynomial >> (degree - step) & 1:
                new ^= numbers[position - step] << step
        numbers.append(new)
    return [number << (BITS - 1 - position) for position, number in enumerate(numbers)]
