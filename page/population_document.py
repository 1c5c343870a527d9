"""The population of population based training, as a document; gathered in `population_block`."""

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema


class ChangedValue(Schema):
    """One hyperparameter of a copy, as text."""

    name: str
    before: str | None
    """Of the parent; null where it was not active there."""
    after: str | None
    """Null where it is not active in the copy."""


class PopulationTrial(Schema):
    """One trial: a stretch of training in the place of one member."""

    trial: int
    member: int
    """In whose place it was trained, from 0."""
    parent: int | None
    """The trial whose weights it began with; null for one that began anew."""
    begin: int
    """Epochs that the parent had reached when it was copied; 0 for one that began anew."""
    end: int
    """Epochs reached, those of its ancestors included; as many as at the beginning until it was first evaluated."""
    state: str
    value: FiniteFloat | None
    """First objective at the last evaluation."""
    changed: tuple[ChangedValue, ...]
    """Against the parent; empty for one that began anew."""
