"""Writes the two data files of the examples; they are invented, and the same on every run.

python examples/data/make.py [directory]
"""

import csv
import math
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

CHURN_COLUMNS = (
    "customer",
    "age",
    "region",
    "contract",
    "payment",
    "months",
    "monthly_charge",
    "support_calls",
    "paperless",
    "churned",
)


def churn_rows(n: int = 2000) -> list[tuple[object, ...]]:
    """Customers of a telephone company; some ages, charges and regions are not known."""
    rng = Random(11)
    return [_customer(number, rng) for number in range(1, n + 1)]


def _customer(number: int, rng: Random) -> tuple[object, ...]:
    age = rng.randint(18, 85)
    region = rng.choice(["north", "south", "east", "west", "island"])
    contract = rng.choices(["monthly", "one year", "two years"], [5, 3, 2])[0]
    payment = rng.choice(["card", "transfer", "cheque", "direct debit"])
    months = 1 + int(rng.expovariate(1 / 24))
    charge = round(15 + 70 * rng.random() + (10 if region == "island" else 0), 2)
    calls = min(int(rng.expovariate(0.8)), 9)
    paperless = rng.random() < 0.6
    leaning = (
        {"monthly": 1.2, "one year": -0.6, "two years": -2.0}[contract]
        + 0.9 * (calls - 1)
        + 0.045 * (charge - 50)
        - 0.05 * months
        + (0.8 if payment == "cheque" else 0.0)
        - (1.0 if paperless and age > 60 else 0.0)
    )
    churned = rng.random() < 1 / (1 + math.exp(-1.5 * leaning))
    return (
        f"C{number:05d}",
        age if rng.random() > 0.08 else None,
        region if rng.random() > 0.05 else None,
        contract,
        payment,
        months,
        charge if rng.random() > 0.04 else None,
        calls,
        "yes" if paperless else "no",
        "left" if churned else "stayed",
    )


def energy_table(n_days: int = 730) -> pa.Table:
    """Daily energy use in kWh of six buildings over two years."""
    rng = Random(7)
    first = date(2023, 1, 1)
    rows = []
    for number in range(n_days):
        day = first + timedelta(days=number)
        temperature = 10 - 9 * math.cos(2 * math.pi * (number - 20) / 365) + rng.gauss(0, 3)
        holiday = rng.random() < 0.03
        rows += [_use(day, building, temperature, holiday, rng) for building in _BUILDINGS]
    return pa.Table.from_pylist(rows)


_BUILDINGS = {"school": 40, "office": 60, "clinic": 90, "library": 25, "gym": 50, "depot": 70}
"""Name to square metres, in tens."""


def _use(day: date, building: str, temperature: float, holiday: bool, rng: Random) -> dict[str, object]:
    area = _BUILDINGS[building]
    is_open = building == "clinic" or (day.weekday() < 5 and not holiday)
    wind = rng.expovariate(1 / 4)
    heating = max(16 - temperature, 0) * (0.35 + 0.02 * wind)
    cooling = max(temperature - 21, 0) * (1.1 if is_open else 0.2)
    use = area * (1.5 + (3.0 if is_open else 0.0) + heating + cooling) / 5
    return {
        "day": day,
        "building": building,
        "weekday": day.strftime("%a"),
        "holiday": holiday,
        "temperature": round(temperature, 1),
        "wind": round(wind, 1),
        "area": area * 10,
        "kwh": round(use * math.exp(rng.gauss(0, 0.04)), 1),
    }


def write(directory: Path) -> None:
    """Write churn.csv and energy.parquet."""
    with (directory / "churn.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CHURN_COLUMNS)
        writer.writerows(churn_rows())
    pq.write_table(energy_table(), directory / "energy.parquet", compression="zstd")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
