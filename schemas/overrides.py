"""Changes single entries of a study by `path=value`, as a command line gives them; knows no file and no store."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from pegbox.schemas.errors import Problem, StudyError, suggest
from pegbox.schemas.study import StudySpec
from pegbox.schemas.validation_messages import validation_problems
from pegbox.schemas.yaml_text import YamlTextError, parse_yaml

SOURCE = "--set"


def override(spec: StudySpec, settings: Iterable[str]) -> StudySpec:
    """The study with some of its entries replaced.

    Args:
        spec: The study as it is.
        settings: Each a path and a value in YAML, such as `budget.trials=50` or `space.units.max=2048`.

    Raises:
        StudyError: A setting cannot be read, or the study would not be valid with it.
    """
    # Through plain values and the whole validation: a setting may contradict another section, which a copy with one
    # field replaced would not notice.
    raw = spec.model_dump(mode="json")
    for setting in settings:
        path, value = _parsed(setting)
        _put(raw, path, value)
    try:
        return StudySpec.model_validate(raw)
    except ValidationError as error:
        raise StudyError(validation_problems(error, raw), SOURCE) from error


def _parsed(setting: str) -> tuple[list[str], Any]:
    path, equals, value = setting.partition("=")
    steps = [step.strip() for step in path.split(".")]
    if not equals or not all(steps):
        raise StudyError(f"a setting is a path and a value such as budget.trials=50, got {setting!r}.", SOURCE)
    if steps == ["name"]:
        raise StudyError("the name tells one study from another and cannot be set. Run a file of that name.", SOURCE)
    try:
        return steps, parse_yaml(value).value
    except YamlTextError as error:
        raise StudyError(error.problem._replace(path=tuple(steps), line=None, column=None), SOURCE) from error


def _put(raw: dict[str, Any], path: list[str], value: Any) -> None:
    here = raw
    for position, step in enumerate(path[:-1]):
        if step not in here:
            problem = Problem(f"unknown key {step!r}. {suggest(step, here)}", tuple(path[: position + 1]))
            raise StudyError(problem, SOURCE)
        # A section that the file left out, such as `data: null`, is begun.
        if here[step] is None:
            here[step] = {}
        if not isinstance(here[step], dict):
            came = f"{'.'.join(path[: position + 1])} is {here[step]!r}"
            raise StudyError(Problem(f"a mapping is expected on the way, but {came}.", tuple(path)), SOURCE)
        here = here[step]
    here[path[-1]] = value
