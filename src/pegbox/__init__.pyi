"""What `import pegbox` offers, for editors and type checkers: at run time it is loaded when it is asked for."""

from pegbox.api.domains import Choice as Choice
from pegbox.api.domains import Const as Const
from pegbox.api.domains import Float as Float
from pegbox.api.domains import Int as Int
from pegbox.api.objective import objective as objective
from pegbox.api.study import Study as Study
from pegbox.flows.tune import tune as tune
from pegbox.integrations.trial_link import current_trial as current_trial
from pegbox.models.load_model import load_model as load_model
from pegbox.schemas.study import StudySpec as StudySpec
from pegbox.schemas.study_file import read_study as read_study
from pegbox.storage.history_file import open_history as open

__version__: str
__all__: list[str]
