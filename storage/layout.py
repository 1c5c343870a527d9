"""Where the files of a store lie; opens none of them and loads no database."""

import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoreLayout:
    """The paths of one store.

    Attributes:
        root: The directory that `--store` names.
    """

    root: Path

    @property
    def snapshot(self) -> Path:
        """The published history: a DuckDB file that anybody may open read-only at any time."""
        return self.root / "history.duckdb"

    @property
    def journal(self) -> Path:
        """The journals, one file for each writing process: the truth."""
        return self.root / "journal"

    @property
    def archive(self) -> Path:
        """Compressed journals whose writers are gone."""
        return self.journal / "archive"

    @property
    def ingest(self) -> Path:
        """The ingestor's own directory."""
        return self.root / "ingest"

    @property
    def master(self) -> Path:
        """The ingestor's own database; never opened by anyone else."""
        return self.ingest / "master.duckdb"

    @property
    def locks(self) -> Path:
        """One lock file for each study."""
        return self.root / "locks"

    @property
    def data(self) -> Path:
        """Prepared data, by fingerprint."""
        return self.root / "data"

    @property
    def checkpoints(self) -> Path:
        """Where training leaves its state."""
        return self.root / "checkpoints"

    @property
    def models(self) -> Path:
        """The models that studies end in: a directory for each study, a file for each run."""
        return self.root / "models"

    @property
    def cache(self) -> Path:
        """Results of tasks, by content."""
        return self.root / "cache"

    @property
    def logs(self) -> Path:
        """What workers print."""
        return self.root / "logs"

    @property
    def shared(self) -> Path:
        """What a mirror of a shared store knows of it; not there in a store of this machine alone."""
        return self.root / "shared"

    @property
    def directories(self) -> tuple[Path, ...]:
        """Those that every store has, outer ones first."""
        written = (self.journal, self.archive, self.ingest, self.locks)
        return (*written, self.data, self.checkpoints, self.models, self.cache, self.logs)


def no_history(store: StoreLayout) -> str:
    """What to say where there is no store, or none that anything was written into."""
    if kind_of(store.root) == "file":
        return (
            f"A store is a directory, but {store.root} is a file. Where it is an archive of a store (zip, tar), unpack "
            "it first, and name the directory with --store or PEGBOX_STORE."
        )
    return f"There is no history in {store.root}. Run a study first, or name the store with --store or PEGBOX_STORE."


def kind_of(path: Path) -> str:
    """What lies at a path, in a word: `file`, `nothing`, or what stands in a file's place; opens nothing.

    A link counts as what it leads to. A named pipe that is opened waits for ever, so whoever opens what others may
    have put there asks first.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "link that leads nowhere" if path.is_symlink() else "nothing"
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")
