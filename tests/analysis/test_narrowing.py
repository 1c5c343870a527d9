from pydantic import TypeAdapter

from pegbox.analysis.narrowing import best_configurations, narrow
from pegbox.schemas.domains import AnyDomain

DOMAIN = TypeAdapter(AnyDomain)
LR = DOMAIN.validate_python({"min": 1e-5, "max": 1e-1, "log": True, "extra": [0.0]})
UNITS = DOMAIN.validate_python({"min": 16, "max": 1024, "power_of_two": True})
LAYERS = DOMAIN.validate_python({"min": 1, "max": 8, "int": True})
KIND = DOMAIN.validate_python({"values": ["a", "b"]})


def test_range_is_narrowed_around_the_best_of_earlier_studies():
    narrowed = narrow({"lr": LR}, [{"lr": 1e-3}, {"lr": 2e-3}, {"lr": 4e-3}])["lr"]
    assert 1e-5 < narrowed.min < 1e-3
    assert 4e-3 < narrowed.max < 1e-1
    assert narrowed.extra == (0.0,)


def test_narrowed_range_keeps_a_third_of_the_published_one():
    narrowed = narrow({"layers": LAYERS}, [{"layers": 3}] * 3)["layers"]
    assert (narrowed.min, narrowed.max) == (1, 5)


def test_powers_of_two_stay_powers_of_two():
    narrowed = narrow({"units": UNITS}, [{"units": 128}, {"units": 256}, {"units": 256}])["units"]
    assert (narrowed.min, narrowed.max) == (64, 512)


def test_narrowed_range_stays_within_the_published_one():
    narrowed = narrow({"lr": LR}, [{"lr": 1e-5}, {"lr": 1.1e-5}, {"lr": 1.2e-5}])["lr"]
    assert narrowed.min == 1e-5


def test_two_values_and_categories_narrow_nothing():
    best = [{"lr": 1e-3, "kind": "a"}, {"lr": 2e-3, "kind": "a"}, {"kind": "a"}]
    assert narrow({"lr": LR, "kind": KIND}, best) == {}


def test_study_of_few_trials_is_not_listened_to(make_history):
    histories = [make_history([0.3, 0.1]), make_history([0.5 - 0.01 * n for n in range(12)])]
    assert best_configurations(histories) == {"written-down": {"x": 0.11}}
