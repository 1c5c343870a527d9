"""Earlier studies that a study learns from, pinned to what was known when they were chosen."""

from pegbox.schemas.base import Schema
from pegbox.schemas.study import StudySpec


class EarlierStudy(Schema):
    """A study up to one version of its history; what it does afterwards teaches nothing."""

    study: str
    version: int


class PastStudy(Schema):
    """A study of a store as far as it matters to who would learn from it."""

    spec: StudySpec
    version: int
    n_completed: int

    @property
    def pinned(self) -> EarlierStudy:
        """The study as it is now."""
        return EarlierStudy(study=self.spec.name, version=self.version)
