"""The place of a training: which trial, on which seed, which fold, at which attempt; one key for all who ask by it."""

from pydantic import Field

from pegbox.schemas.base import Schema


class TrialSeed(Schema):
    """A trial on one seed: its own while searching, or one of the fresh seeds of the finalists' round (a replicate).

    Events, segments and rows of queries hold these as fields of their own, flat in their JSON, by inheriting it.
    """

    trial: int = Field(ge=0)
    """The number of the trial."""
    replicate: int | None = None
    """Which fresh seed of the finalists' round; None while searching."""

    @property
    def trial_seed(self) -> "TrialSeed":
        """The key alone, without what an heir adds: equal for all folds and attempts."""
        return TrialSeed(trial=self.trial, replicate=self.replicate)


class TrainingPlace(TrialSeed):
    """One training of a trial on one seed: a fold of its data (cross-validation), at one attempt."""

    attempt: int = Field(ge=1)
    """One try at training the trial; a killed worker makes a second attempt of the same trial."""
    fold: int = Field(ge=0)
    """0 where the data is split once."""

    @property
    def place(self) -> "TrainingPlace":
        """The key alone, without what an heir adds."""
        return TrainingPlace(trial=self.trial, replicate=self.replicate, attempt=self.attempt, fold=self.fold)

    @property
    def without_attempt(self) -> "TrainingPlace":
        """The key that all attempts share, that of the first one: what retries are counted by."""
        return TrainingPlace(trial=self.trial, replicate=self.replicate, attempt=1, fold=self.fold)
