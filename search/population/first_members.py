"""What the members of a population begin with: points of a Sobol sequence, which leave fewer holes than random ones."""

from itertools import islice

from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import SearchError
from pegbox.search.samplers.sobol_sequence import SobolSequence
from pegbox.search.space.encoding import SpaceEncoding

MOST_LOOKED_AT = 100_000
"""Points of which one must be allowed; by hand, a space that forbids nearly all of itself is a slip."""


class FirstMembers:
    """Member n begins with the n-th point of the sequence that the space allows.

    Unlike trials of a search, two members may begin alike: a space of few values holds fewer than a population.
    """

    def __init__(self, encoding: SpaceEncoding, seed: int) -> None:
        self._encoding = encoding
        self._sequence = SobolSequence(encoding.n_dims, seed)

    def configuration(self, member: int) -> Configuration:
        """The configuration that a member begins with.

        Raises:
            SearchError: The space forbids nearly all of itself.
        """
        points = (self._encoding.decode(self._sequence.point(number)) for number in range(MOST_LOOKED_AT))
        allowed = (configuration for configuration in points if self._encoding.space.contains(configuration))
        for configuration in islice(allowed, member, None):
            return configuration
        raise SearchError(f"the space allows hardly any of its configurations: {MOST_LOOKED_AT} tries found too few.")
