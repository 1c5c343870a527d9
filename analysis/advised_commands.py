"""The commands that advice gives, as they are pasted into a shell; runs none of them."""

from shlex import quote

from pegbox.schemas.history import History


def resume(history: History, *settings: str) -> str:
    """Go on with the study under other settings, such as `budget.trials=50`."""
    return _command("resume", history.spec.name, settings)


def retry(history: History, *settings: str) -> str:
    """Give its failed trials a further attempt under other settings."""
    return _command("retry", history.spec.name, settings)


def branch(history: History, *settings: str) -> str:
    """Run a study like this one under a name that says so, for what would make the trials incomparable.

    A search that learns from earlier studies learns from this one.
    """
    learning = (f"search.warm_start=[{history.spec.name}]",) if history.spec.search.method == "bayes" else ()
    return _command("resume", history.spec.name, (*settings, *learning), f" --as {quote(f'{history.spec.name}-next')}")


def ask(query: str) -> str:
    """Ask the history.

    >>> print(ask("FROM trials WHERE study = 'digits'"))
    pegbox sql "FROM trials WHERE study = 'digits'"
    """
    is_plain = not any(character in query for character in '"$`\\!')  # what double quotes would not keep
    return f'pegbox sql "{query}"' if is_plain else f"pegbox sql {quote(query)}"


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def larger_budget(history: History, trials: int | None = None) -> tuple[str, ...]:
    """Settings that let a search that has used its budget go on: half as much again of every limit.

    Args:
        trials: So many trials, where the study counts them or has no other limit.
    """
    budget = history.spec.budget
    limits = {"epochs": budget.epochs, "time": budget.time, "cost": budget.cost}
    grown = [f"budget.{name}={_half_more(limit)}" for name, limit in limits.items() if limit is not None]
    if budget.trials is not None or not grown:
        wanted = trials or _half_more(max(budget.trials or 0, len(history.trials)))
        grown.insert(0, f"budget.trials={wanted}")
    return tuple(grown)


def _half_more(limit: float) -> str:
    return f"{1.5 * limit:.4g}" if isinstance(limit, float) else f"{limit + (limit + 1) // 2}"


def _command(verb: str, study: str, settings: tuple[str, ...], option: str = "") -> str:
    return f"pegbox {verb} {quote(study)}{option}" + "".join(f" --set {quote(one)}" for one in settings)
