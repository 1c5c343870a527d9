"""Reading a study file: what is right is read, and every mistake is named with its place."""

from pathlib import Path

import pytest

from pegbox.schemas.errors import Problem, StudyError
from pegbox.schemas.study_file import read_study

STUDY = """\
name: digits
data: {source: "sklearn:digits", target: target}
train: {kind: mlp, epochs: 27}
space:
  lr: {min: 1e-5, max: 1e-1, log: true}
  optimizer: [adamw, sgd]
objective: {metric: val_loss}
budget: {trials: 50}
"""
LR = "  lr: {min: 1e-5, max: 1e-1, log: true}"
JARGON = (
    "union_tag",
    "Input should",
    "Field required",
    "Extra inputs",
    "Spec",
    "Schema",
    "discriminator",
    "tuple",
    "NoneType",
)


def problems_of(folder: Path, old: str, new: str) -> tuple[Problem, ...]:
    path = folder / "study.yaml"
    assert old in STUDY
    path.write_text(STUDY.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert caught.value.exit_code == 2
    assert caught.value.source == str(path)
    return caught.value.problems


def test_a_valid_file_becomes_its_spec(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)

    study = read_study(path)

    assert study.spec.name == "digits"
    assert list(study.spec.space.parameters) == ["lr", "optimizer"]
    assert study.spec.budget.trials == 50


def test_numbers_without_a_dot_are_numbers_and_no_is_a_word(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("[adamw, sgd]", "[1e-3, no, off, true, null, 010]"))

    values = read_study(path).spec.space.parameters["optimizer"].values

    assert values == (0.001, "no", "off", True, None, 10)


def test_dates_and_numeric_keys_stay_texts(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY + "tags: {2024: 2024-01-31}\n")

    assert read_study(path).spec.tags == {"2024": "2024-01-31"}


def test_anchors_and_merges_are_followed(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace(LR, "  lr: &range {min: 1, max: 2}\n  rate: {<<: *range, max: 3}"))

    space = read_study(path).spec.space

    assert (space.parameters["rate"].min, space.parameters["rate"].max) == (1, 3)


def test_a_byte_order_mark_is_ignored(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + STUDY.encode())

    assert read_study(path).spec.name == "digits"


def test_locate_finds_an_entry_and_the_nearest_one_around_it(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)

    study = read_study(path)

    assert study.locate(("space", "lr", "max")) == (5, 24)
    assert study.locate(("space", "lr", "step")) == (5, 3)
    assert study.locate(("run", "workers")) == (1, 1)


def test_problems_found_elsewhere_get_their_place(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)

    error = read_study(path).error([Problem("no metric of that name.", ("objective", "metric"))])

    assert str(error) == f"{path}:7:21, objective.metric: no metric of that name."


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("name: digits\n", "", (1, 1), "name is missing. Add it, such as `name: digits-mlp`."),
        ("name: digits", "name: 3", (1, 7), "name must be a text, got 3."),
        ("name: digits", "name:", (1, 1), "name must be a text, got nothing."),
        ("budget: {trials: 50}\n", "", (1, 1), "budget is missing. Add it, such as `budget: {trials: 50}`."),
        ("trials: 50", "trials: 0", (8, 18), "trials must be at least 1, got 0."),
        ("trials: 50", "trials: 2.5", (8, 18), "trials must be a whole number, got 2.5."),
        ("trials: 50", "trials: many", (8, 18), "trials must be a whole number, got 'many'."),
        ("{trials: 50}", "{time: 3x}", (8, 16), "such as 90s, 30m, 1h30m or 2 hours, got '3x'"),
        ("{trials: 50}", "{time: -3}", (8, 16), "time must be above 0, got -3."),
        ("{trials: 50}", "{}", (8, 9), "the budget has no limit."),
        ("{trials: 50}", "{trials: true}", (8, 18), "must be a number, got true."),
        ("epochs: 27", "epochs: true", (3, 28), "must be a number, got true."),
        ("min: 1e-5", "min: false", (5, 13), "must be a number, got false."),
        ("kind: mlp", "kind: mpl", (3, 15), "unknown kind 'mpl'. Did you mean 'mlp'?"),
        ("kind: mlp, ", "", (3, 1), "kind is missing. Give one of mlp, cnn,"),
        ("{kind: mlp, epochs: 27}", "mlp", (3, 8), "train must be a mapping, got 'mlp'."),
        ("min: 1e-5", "min: 1", (5, 7), "min must be below max, got min=1.0, max=0.1."),
        ("min: 1e-5", "min: 0", (5, 7), "a log scale needs min above 0"),
        ("min: 1e-5", "min: .nan", (5, 13), "min must be a finite number, got nan."),
        ("min: 1e-5, ", "", (5, 3), "min is missing. Add it, such as `min: 1e-5`."),
        ("[adamw, sgd]", "[adamw, {a: 1}]", (6, 22), "entry 2 must be true, false, a number, a text or a list"),
        ("[adamw, sgd]", "[sgd, sgd]", (6, 14), "each value must appear once, got 'sgd' twice."),
        ("[adamw, sgd]", "[]", (6, 14), "optimizer must be given, not empty, got []."),
        ("[adamw, sgd]", "{values: adamw}", (6, 23), "values must be a list, got 'adamw'."),
        (LR, LR + "\n  m: {min: 0, max: 1, when: {optimiser: sgd}}", (6, 30), "Did you mean 'optimizer'?"),
        (LR, LR + "\n  m: {min: 0, max: 1, when: {optimizer: adam}}", (6, 41), "a value that optimizer cannot take"),
        (LR, LR + "\n  a: {values: [1], when: {b: 2}}\n  b: {values: [2], when: {a: 1}}", (6, 26), "form a cycle"),
        (LR, LR + "\n  forbid: [{lrr: 1}]", (6, 13), "forbid names the unknown parameter 'lrr'. Did you mean 'lr'?"),
        (LR, LR + "\n  forbid: [{lr: {low: 1}}]", (6, 18), "unknown key 'low'. Known: max, min."),
        (LR + "\n  optimizer: [adamw, sgd]", "  {}", (5, 3), "the space is empty."),
        ("{metric: val_loss}", "{metric: a, goal: minn}", (7, 30), "must be 'minimize' or 'maximize', got 'minn'"),
        ("objective: {metric: val_loss}\n", "", (1, 1), "exactly one of objective and objectives"),
        ("target: target", "target: t, split: {test: 0.9}", (2, 52), "must leave rows to train on, got test=0.9"),
        ("budget:", "search: {warm_start: 3}\nbudget:", (8, 22), "must be 'own', 'auto', 'none' or a list, got 3."),
        ("budget:", "fidelity: {max: 81}\nbudget:", (8, 17), "must not exceed train.epochs, got 81 and 27."),
        (
            "{kind: mlp, ",
            "{kind: function, function: train.run, ",
            (3, 35),
            "as `package.module:name`, got 'train.run'",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path, old, new, place, words):
    (problem,) = problems_of(tmp_path, old, new)

    assert words in problem.message
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("name:", "nmae:", (1, 1), "unknown key 'nmae'. Did you mean 'name'?"),
        ("trials:", "trial:", (8, 10), "unknown key 'trial'. Did you mean 'trials'?"),
        ("trials:", "n_trials:", (8, 10), "Did you mean 'trials'?"),
        (
            "min:",
            "low:",
            (5, 8),
            "unknown key 'low'. Did you mean 'min'? Known: extra, log, lognormal, max, min, normal,",
        ),
        ("{metric: val_loss}", "{metric: a, direction: min}", (7, 24), "Did you mean 'goal'?"),
        ("target: target", "target: t, split: {tset: 0.2}", (2, 53), "Did you mean 'test'?"),
        ("budget:", "workers: 2\nbudget:", (8, 1), "It belongs under `run:`."),
        ("epochs: 27", "epochs: 27, estimator: a:b", (3, 32), "unknown key 'estimator'."),
    ],
)
def test_an_unknown_key_gets_the_nearest_of_its_section(tmp_path, old, new, place, words):
    (problem,) = problems_of(tmp_path, old, new)

    assert words in problem.message
    assert (problem.line, problem.column) == place


def test_a_parameter_may_be_named_like_a_key_of_a_domain(tmp_path):
    (problem,) = problems_of(tmp_path, LR, "  step: {min: 1, max: 2, lgo: true}")

    assert problem.path == ("space", "step", "lgo")
    assert "Did you mean 'log'?" in problem.message


def test_all_mistakes_are_reported_in_the_order_of_the_file(tmp_path):
    problems = problems_of(tmp_path, STUDY, "nmae: 3\ntrain: {kind: mlp, epochs: x}\nspace: {lr: {}}\nbudget: {}\n")

    assert [problem.line for problem in problems] == [1, 2, 3, 3, 4]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("name: [1, 2\ntrain: 3\n", (2, 6), "the list that is opened on line 1 does not go on or end here"),
        ("name: {a: 1\ntrain: 3\n", (2, 6), "the mapping that is opened on line 1 does not go on or end here"),
        ("train:\n\tkind: mlp\n", (2, 1), "a tab stands where a value or key is expected. Indent with spaces."),
        ("name: a: b\n", (1, 8), "a colon stands where none is expected"),
        ("name: 'x\ntrain: 3\n", (3, 1), "the quote that is opened on line 1 is never closed"),
        ("- a\nname: 1\n", (2, 1), "not indented like the lines before it"),
        ("name: x\ntrain\n", (2, 1), "a key without ':' stands here"),
        ("name: x\n---\nname: y\n", (2, 1), "a second document"),
        ("name: *x\n", (1, 7), "no anchor before it"),
        ("name: &x {y: *x}\n", (1, 7), "an alias stands for the mapping that holds it"),
        ("name: x\ntrain: 3\nname: y\n", (3, 1), "the key 'name' stands here a second time; line 1 has the first"),
        ("? [1, 2]\n: 3\n", (1, 3), "a key must be a text"),
        ("name: a\x07b\n", (1, 8), "the control character '\\x07' cannot stand in YAML"),
        ("name: !!int x\n", (1, 7), "'x' cannot be read as int"),
        ("name: !thing x\n", (1, 7), "'x' cannot be read as !thing"),
        ("name: " + "9" * 5000 + "\n", (1, 7), "cannot be read as int"),
        ('name: "\\q"\n', (1, 9), "not YAML"),
        ("<<: 3\n", (1, 5), "`<<` must be given a mapping"),
        ("", (1, 1), "the file is empty"),
        ("# only a comment\n", (1, 1), "the file is empty"),
        ("- name: x\n", (1, 1), "got a list"),
        ("just words\n", (1, 1), "got the text 'just words'"),
    ],
)
def test_a_text_that_is_no_study_is_explained(tmp_path, text, place, words):
    problems = problems_of(tmp_path, STUDY, text)

    assert words in problems[0].message
    assert (problems[0].line, problems[0].column) == place


def test_endless_nesting_is_refused(tmp_path):
    (problem,) = problems_of(tmp_path, STUDY, "[" * 5000)

    assert "more than 50 deep" in problem.message


def test_bytes_that_are_not_utf8_are_located(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_bytes(b"name: x\ntags: {a: \xe9}\n")

    with pytest.raises(StudyError, match=r"study.yaml:2:11: the text must be UTF-8, got the byte 0xe9"):
        read_study(path)


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)

    with pytest.raises(StudyError, match=r"no such file. Did you mean '.*study.yaml'"):
        read_study(tmp_path / "studdy.yaml")


def test_a_missing_file_in_an_empty_folder_names_init(tmp_path):
    with pytest.raises(StudyError, match="`pegbox init` writes a study"):
        read_study(tmp_path / "study.yaml")


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(StudyError, match="got a directory"):
        read_study(tmp_path)


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(Path("a\0b"))


@pytest.mark.parametrize(
    "line",
    [
        "train: {kind: 3}",
        "train: [1]",
        "space: [1]",
        "space: {lr: {values: 3, ordered: true}}",
        "space: {lr: {value: {}}}",
        "space: {lr: {min: a, max: []}}",
        "space: {lr: {min: 1.5, max: 3, int: true}}",
        "space: {lr: {min: 1, max: 3, when: 4}}",
        "space: {lr: {min: 1, max: 3, prior: 4}}",
        "space: {lr: 1, forbid: 3}",
        "space: {lr: 1, forbid: [{}]}",
        "space: {lr: 1, forbid: [{lr: {min: x}}]}",
        "objectives: 3",
        "objectives: [3]",
        "run: {batch: []}",
        "run: {engine: spark}",
        "schedule: 3",
        "search: {options: 3}",
        "search: {enqueue: [3]}",
        "tags: [1]",
        "data: sklearn:digits",
        "data: {source: ''}",
    ],
)
def test_no_message_speaks_the_validators_language(tmp_path, line):
    key = line.partition(":")[0]
    rest = "".join(f"{one}\n" for one in STUDY.splitlines() if not one.startswith((key + ":", "  ")))

    problems = problems_of(tmp_path, STUDY, f"{line}\n{rest}")

    said = " ".join(problem.message for problem in problems)
    assert [word for word in JARGON if word in said] == []
    assert any(problem.line == 1 for problem in problems)


@pytest.mark.parametrize("key", ["parameters: {x: {min: 0, max: 1}}", "apiVersion: kubeflow.org/v1beta1", "hydra: {}"])
def test_another_tools_file_is_told_of_convert(tmp_path, key):
    path = tmp_path / "sweep.yaml"
    path.write_text(f"program: train.py\n{key}\n")

    with pytest.raises(StudyError) as caught:
        read_study(path)

    problem = caught.value.problems[0]
    assert "pegbox convert" in problem.message
    assert problem.line == 2
