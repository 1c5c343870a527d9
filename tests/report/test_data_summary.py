"""What is told of data, in lines and as advice."""

from pegbox.report.data_summary import MOST_WARNINGS, data_advice, data_lines, data_warnings
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.understanding import Baseline, ColumnKind, DataUnderstanding, Leak, TargetRange

SPEC = StudySpec.model_validate(
    {
        "name": "churn",
        "data": {"source": "churn.csv", "target": "churn", "drop": ["id"]},
        "train": {"kind": "mlp"},
        "space": {"lr": {"min": 1e-3, "max": 1e-1, "log": True}},
        "objective": {"metric": "val_pr_auc", "goal": "maximize"},
        "budget": {"trials": 3},
    }
)
TOLD = DataUnderstanding(
    n_rows={"train": 12000, "valid": 40, "test": 30},
    n_folds=1,
    n_dropped=3,
    target="churn",
    task="classification",
    class_shares={"no": 0.895, "yes": 0.105},
    columns=(
        ColumnKind(name="id", kind="left out", told="not a feature"),
        ColumnKind(name="age", kind="number", n_missing=4),
        ColumnKind(name="plan", kind="category", n_levels=7, levels=("a", "b")),
        ColumnKind(name="a\n(cm)", kind="number", told="decimal comma"),
    ),
    baselines=(
        Baseline(name="always 'no'", metrics={"accuracy": 0.895, "pr_auc": 0.105, "loss": 0.33}),
        Baseline(name="linear", metrics={"accuracy": 0.91, "pr_auc": 0.4, "loss": 0.2}),
    ),
    leaks=(Leak(column="reason", score=1.0, baseline=0.895),),
)


def test_the_data_is_told_in_a_few_lines() -> None:
    assert data_lines(TOLD, SPEC) == [
        ("rows", "12 070: 12 000 training, 40 validation, 30 test; 3 left out: no 'churn'"),
        ("columns", "1 left out: id (not a feature)"),
        ("", "2 numbers: age (4 missing), 'a\\n(cm)' (decimal comma)"),
        ("", "1 category: plan (7 levels: a, b, …)"),
        ("target", "churn, 2 classes: no 89.5 %, yes 10.5 %"),
        ("baselines", "always 'no': pr_auc 0.1050, accuracy 0.8950; linear: pr_auc 0.4000, accuracy 0.9100"),
    ]


def test_a_numeric_target_is_told_by_its_range() -> None:
    extent = TargetRange(min=1e9, max=1e9 + 5, mean=1e9 + 2, std=1.5)
    told = TOLD.model_copy(update={"task": "regression", "class_shares": {}, "target_range": extent})

    (line,) = [line for word, line in data_lines(told, SPEC) if word == "target"]

    assert line == "churn, a number: 1e9 to 1.000000005e9, mean 1.000000002e9, deviation 1.5"


def test_many_warnings_are_cut() -> None:
    told = TOLD.model_copy(update={"warnings": tuple(f"warning {i}" for i in range(MOST_WARNINGS + 3))})

    assert len(data_warnings(told)) == MOST_WARNINGS + 1
    assert data_warnings(told)[-1] == "and 4 more of the kind"


def test_a_suspected_leak_is_advised_against_with_a_command() -> None:
    (advice,) = data_advice(TOLD, History(spec=SPEC))

    assert advice.kind == "leak"
    assert "whether 'reason' can be known when a prediction is asked for" in advice.what
    assert "'reason' alone tells the target (1.00 of the rows, 0.895 without it)" in advice.evidence
    assert advice.command == 'pegbox resume churn --as churn-next --set \'data.drop=["id", "reason"]\''


def test_honest_data_calls_for_nothing() -> None:
    assert data_advice(TOLD.model_copy(update={"leaks": ()}), History(spec=SPEC)) == ()
    assert data_advice(None, History(spec=SPEC)) == ()
