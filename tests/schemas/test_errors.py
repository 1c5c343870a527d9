"""The error tree is drawn as it is, and every class of it can be told apart by its exit code."""

import ast
import pickle
import re
from collections import defaultdict
from pathlib import Path

import pytest

from pegbox.schemas import errors
from pegbox.schemas.errors import (
    DataError,
    PegboxError,
    Problem,
    StoreError,
    StudyError,
    StudyMismatchError,
    TrialError,
    suggest,
)
from pegbox.schemas.failure import Failure, FailureKind

LINE = re.compile(r"^    (?P<bars>[│├└─ ]*)(?P<name>\w+Error)\s+(?:exit code )?(?P<code>\d+)")


def drawn_tree() -> dict[str, tuple[str | None, int]]:
    """Each class of the drawing, with its parent and exit code."""
    tree: dict[str, tuple[str | None, int]] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := LINE.match(line):
            depth = len(found["bars"]) // 4  # four signs draw one level
            parents[depth:] = [found["name"]]
            tree[found["name"]] = (parents[depth - 1] if depth else None, int(found["code"]))
    return tree


def real_tree() -> dict[str, tuple[str | None, int]]:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, PegboxError)]
    return {one.__name__: (one.__base__.__name__ if one is not PegboxError else None, one.exit_code) for one in classes}


def test_the_drawing_equals_the_classes():
    assert drawn_tree() == real_tree()


@pytest.mark.parametrize(
    "error",
    [
        StoreError("no access to --password=hunter2x"),
        StudyError([Problem("got 'tcp://me:hunter2x@h'", ("run", "address"))], "study?token=hunter2x"),
        DataError("data.source: no access to s3://me:hunter2x@h"),
        TrialError(Failure(kind=FailureKind.ERROR, message="api_key='hunter2x'")),
    ],
)
def test_no_error_repeats_a_secret(error: PegboxError):
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert "***" in str(one)
        assert "hunter2x" not in f"{one} {one!r} {one.args} {getattr(one, 'problems', '')}"


def test_every_class_says_in_a_sentence_what_it_means():
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, PegboxError)]

    assert [one.__name__ for one in classes if not (one.__doc__ or "").strip().endswith(".")] == []


def test_a_study_error_says_each_problem_on_a_line():
    error = StudyError([Problem("it is low.", ("space", "lr", 0), 5, 7), Problem("it is absent.")], "a.yaml")

    assert str(error) == "a.yaml:5:7, space.lr.0: it is low.\na.yaml: it is absent."


def test_a_mismatch_is_a_study_error():
    assert StudyMismatchError("another space.").exit_code == 2
    assert str(StudyMismatchError("another space.", "s")) == "s: another space."


def test_a_trial_error_carries_its_failure():
    failure = Failure(kind=FailureKind.DIVERGED, message="the loss is NaN at epoch 2.")

    assert str(TrialError(failure)) == "diverged: the loss is NaN at epoch 2."
    assert TrialError(failure).failure is failure


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("bays", "Did you mean 'bayes'? Known: bayes, grid."),
        ("xyz", "Known: bayes, grid."),
    ],
)
def test_suggest_names_only_a_near_word(name, sentence):
    assert suggest(name, ["grid", "bayes"]) == sentence


def test_suggest_lists_the_first_thirty_words_of_many():
    sentence = suggest("x", (f"pixel_{i:02}" for i in range(64)))

    assert sentence.endswith("pixel_28, pixel_29 and 34 more.")


_OUTSIDE_OF_THE_TREE = {
    # pydantic makes them problems of the study file
    "EntryError": {f"schemas/{name}.py" for name in ("base", "families", "space", "study", "train")},
    "CronSimError": {"schemas/plan.py"},
    "YamlTextError": {"schemas/yaml_text.py"},
    "ValueError": {
        *(
            f"schemas/{name}.py"
            for name in ("data", "domain_text", "durations", "parameter_groups", "plan", "population", "space", "study")
        ),
        *(f"schemas/{name}_domains.py" for name in ("arranged", "listed", "range")),
        *(f"training/hyperparameters/{name}.py" for name in ("cnn", "mlp")),
        "training/resources.py",
        # their callers name the source of the data, or the program, in an error of the tree
        *(f"datasets/{name}.py" for name in ("function", "pictures", "tensor_columns", "torch_dataset")),
        *("schemas/named_files.py", "training/declared_code.py"),
        # scikit-learn's contract
        *(f"integrations/{name}.py" for name in ("search_cv", "searched_distributions")),
        *(f"training/{name}.py" for name in ("command_output", "tensorboard_events")),
        # what only a fault of ours brings about
        *("analysis/ranking.py", "flows/segments.py", "schemas/history.py", "schemas/trials_by_state.py"),
    },
    "TypeError": {"datasets/function.py", "training/models/build.py"},
    "AssertionError": {"search/schedules/halving.py"},
    # cyclopts' own, for a word of the command line that is neither a kind nor a table
    "CycloptsError": {"cli/init.py"},
    # LightGBM's way to end a training, which it catches
    "EarlyStopException": {"integrations/lightgbm.py"},
    # Prefect's own, which tell its engine how a flow run ended
    "Pause": {"flows/cancellation.py"},
    "TerminationSignal": {"flows/cancellation.py"},
    # caught in the same file
    "Error": {"datasets/csv_text.py"},
    "OSError": {"storage/publish.py"},
    # in programs of their own, which answer in words
    "RefusedError": {"integrations/hyperopt_reader.py"},
    "Refused": {"storage/sandbox_process.py"},
    "MemoryError": {"storage/sandbox_process.py"},
}
"""Where an error is raised that is none of the tree's: each way there ends in a sentence, or is a fault of ours."""


def test_no_user_meets_an_error_that_is_none_of_the_tree_s() -> None:
    root = Path(errors.__file__).resolve().parents[1]
    tree = {name for name, value in vars(errors).items() if isinstance(value, type)}
    rooms = [link.name for link in (root / "src" / "pegbox").iterdir() if link.is_dir() and link.name[0] != "_"]
    found = defaultdict(set)
    for path in (path for room in rooms for path in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Raise(exc=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
                    if name not in tree and name[0].isupper():
                        found[name].add(str(path.relative_to(root)))
    assert dict(found) == _OUTSIDE_OF_THE_TREE
