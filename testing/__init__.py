"""Contract tests that any sampler, schedule or strategy inherits, yours too; imports `search` and `schemas`.

from pegbox.testing import SamplerContract


class TestMine(SamplerContract):
    method = "my_project:MySampler"
"""

from pegbox.testing.samplers import SamplerContract
from pegbox.testing.schedules import ScheduleContract
from pegbox.testing.strategies import StrategyContract

__all__ = ["SamplerContract", "ScheduleContract", "StrategyContract"]
