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


def larger_budget(history: History, more: int = 0) -> tuple[str, ...]:
    """Settings that let a search that has used its budget go on: half as much again of every limit, and of what was
    spent where that is more.

    Args:
        more: Further trials at least, where the study counts them or has no other limit.
    """
    budget, begun = history.spec.budget, n_begun(history)
    spent = {
        "epochs": sum(max(trial.budget, trial.to_budget) for trial in history.trials),
        "time": history.elapsed_seconds,
        "cost": sum(trial.value("cost") or 0.0 for trial in history.trials),
        "stagnation": budget.stagnation or 0,
    }
    limits = {name: getattr(budget, name) for name in spent}
    grown = [
        f"budget.{name}={_half_more(max(limit, spent[name]))}" for name, limit in limits.items() if limit is not None
    ]
    if budget.trials is not None or not grown:
        wanted = max(begun + more, int(_half_more(max(budget.trials or 0, begun))))
        grown.insert(0, f"budget.trials={wanted}")
    if budget.improvement is not None and history.search_end is not None:
        grown.append("budget.improvement=null")  # it judged that nothing is left to gain, and would end it again
    return tuple(grown)


def n_begun(history: History) -> int:
    """Trials that count against a budget of trials: also those that a narrowed space left outside."""
    return max((trial.number + 1 for trial in history.trials), default=0)


def _half_more(limit: float) -> str:
    # Half as much again: picked by hand as the least that is likely to show something, and no new search by itself.
    return f"{1.5 * limit:.4g}" if isinstance(limit, float) else f"{limit + (limit + 1) // 2}"


def _command(verb: str, study: str, settings: tuple[str, ...], option: str = "") -> str:
    return f"pegbox {verb} {quote(study)}{option}" + "".join(f" --set {quote(one)}" for one in settings)
