"""Numbers are written as a person would write them."""

import math

import pytest

from pegbox.report.number_format import duration, metric, number, parameter, size, uncertain


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.20314159, "0.2031"), (284, "284"), (284.0, "284"), (1.23e-3, "1.23e-3"), (0.01, "0.01"), (12840, "12840"),
     (0.5, "0.5"), (1e6, "1e6"), (-3e-7, "-3e-7"), (0, "0"), (99999.9, "100000"), (1234567.0, "1.235e6"),
     (math.inf, "inf"), (math.nan, "nan"), (5e-324, "4.941e-324")],
)  # fmt: skip
def test_a_number_is_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2, "0.2000"), (0.97222, "0.9722"), (123.456, "123.5"), (4e-4, "4.000e-4"), (0.0123, "0.0123"), (0, "0"),
     (12345678.0, "1.235e7"), (-0.5, "-0.5000")],
)  # fmt: skip
def test_a_measured_number_keeps_its_zeros(value, text):
    assert metric(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00123456, "1.23e-3"), (True, "true"), (False, "false"), (None, "null"), (64, "64"), ((64, 64), "[64, 64]"),
     ("gelu", "gelu"), (100000000, "100000000")],
)  # fmt: skip
def test_a_parameter_reads_as_in_the_study_file(value, text):
    assert parameter(value) == text


@pytest.mark.parametrize(
    ("mean", "low", "high", "text"),
    [
        (0.20183, 0.1954, 0.2082, "0.2018 ± 0.0064"),
        (0.9, 0.7, 0.95, "0.9000 (0.7000 to 0.9500)"),
        (0.5, 0.5, 0.5, "0.5000 (0.5000 to 0.5000)"),
        (1235.0, 1000.0, 1470.0, "1235 ± 235"),
        (12.0, 11.0, 13.0, "12.0 ± 1.0"),
    ],
)
def test_an_uncertain_mean_shows_its_last_certain_digit(mean, low, high, text):
    assert uncertain(mean, low, high) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0036, "3.6 ms"), (0.25, "0.25 s"), (4.23, "4.2 s"), (48, "48 s"), (59.4, "59 s"), (59.6, "1 min"),
     (75, "1 min 15 s"), (599, "9 min 59 s"), (900, "15 min"), (3599, "1 h"), (5040, "1 h 24 min"),
     (86399, "1 d"), (200000, "2 d 8 h")],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (900, "900 B"), (1_500_000, "1.5 MB"), (45e6, "45 MB"), (3.2e9, "3.2 GB")]
)
def test_an_amount_of_storage_has_its_unit(n_bytes, text):
    assert size(n_bytes) == text
