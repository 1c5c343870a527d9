"""The answer of a study as a page of markdown; what comes from outside can neither format it nor run anything."""

import re
from collections.abc import Iterable, Sequence

from pegbox.analysis.advice import Advice
from pegbox.report.answer import Answer
from pegbox.report.answer_sentences import against_baseline, point_with_interval, with_interval
from pegbox.report.model_card import card_lines
from pegbox.report.number_format import duration, metric, parameter, percent
from pegbox.report.svg import data_uri
from pegbox.schemas.selection import Selection

# All that CommonMark or GitHub's tables, mathematics and autolinks give a meaning; a backslash before any of them is
# always allowed.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&^$:-])")

_BAR, _ESCAPED_BAR = re.compile(r"(?<!\\)\|"), r"\\|"
"""What would end a cell of a table, and what stands for it there."""


def answer_page(answer: Answer, figure: str) -> str:
    """The whole page.

    Args:
        answer: What is said.
        figure: Its picture, as SVG; shown as an image, because Prefect takes inline SVG out.
    """
    parts = [
        f"# {text(answer.study)}",
        text(answer.sentence),
        # As an image in a data address: both of Prefect's interfaces take inline SVG out and leave images in.
        f"![How the search went]({data_uri(figure)})",
    ]
    if answer.configuration:
        rows = [(code(name), code(parameter(value, 4))) for name, value in answer.configuration.items()]
        parts += ["## What to run", table(("parameter", "value"), rows)]
    if answer.selection:
        parts += ["## The finalists", _finalists(answer.selection), *_about(answer.selection)]
    if answer.card is not None and answer.card.diagnostics is not None:
        lines = (f"- {text(word)}: {text(told)}" for word, told in card_lines(answer.card))
        parts += ["## The model on rows that it did not learn from", "\n".join(lines)]
    parts += ["## The search", "\n".join(f"- {fact}" for fact in _facts(answer))]
    if answer.advice:
        parts += ["## What next", *(_step(position, one) for position, one in enumerate(answer.advice, start=1))]
    if answer.query:
        parts.append(f"Ask all trials with SQL:\n\n{code(answer.query)}")
    return "\n\n".join(parts) + "\n"


def _step(position: int, advice: Advice) -> str:
    # The escaped dot keeps this from being a list, whose renderer would number and indent the paragraphs in its own
    # way.
    said = [f"{position}\\. {text(advice.what)}", text(advice.evidence), code(advice.command) if advice.command else ""]
    return "\n\n".join(part for part in said if part)


def text(raw: str) -> str:
    """A text that stays as it is: no character of it formats, links or begins HTML.

    >>> text("val_loss <b>")
    'val\\\\_loss \\\\<b\\\\>'
    """
    return _MARKUP.sub(r"\\\1", _one_line(raw))


def code(raw: str) -> str:
    """A text in the type of code.

    >>> code("a`b")
    '`` a`b ``'
    """
    line = _one_line(raw)
    runs = re.findall(r"`+", line)
    # CommonMark ends a code span at the next run of as many backticks: one more than the longest inside cannot be met.
    fence = "`" * (max(map(len, runs), default=0) + 1)
    return f"{fence} {line} {fence}" if runs or not line.strip() else f"{fence}{line}{fence}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    # Tables are split at bars before code spans are looked for, so that a bar is escaped even inside of code.
    return "\n".join(f"| {' | '.join(_BAR.sub(_ESCAPED_BAR, cell) for cell in cells)} |" for cells in lines)


def _one_line(raw: str) -> str:
    return "".join(character if character.isprintable() else " " for character in raw)


def _finalists(selection: Selection) -> str:
    if selection.front:
        names = list(selection.front[0].estimates)
        rows = [
            (str(point.trial), *(point_with_interval(point, name) for name in names), percent(point.probability))
            for point in selection.front
        ]
        return table(("trial", *map(text, names), "P(on the front)"), rows)
    found = [
        (str(one.trial), with_interval(one), percent(one.probability_best), metric(one.search_value))
        for one in selection.finalists
    ]
    return table(("trial", f"{text(selection.metric)} on fresh seeds", "P(best)", "in the search"), found)


def _about(selection: Selection) -> list[str]:
    about = [text(gain) for gain in (against_baseline(selection),) if gain]
    if selection.test_metrics:
        tests = ", ".join(f"{text(name)} = {metric(value)}" for name, value in selection.test_metrics.items())
        about.append(f"On the rows that were held out: {tests}.")
    if selection.checkpoint:
        about.append(f"The model is {code(str(selection.checkpoint))}.")
    return about


def _facts(answer: Answer) -> list[str]:
    counts = ", ".join(f"{count} {state.value}" for state, count in answer.counts.items()) or "no trial yet"
    facts = [f"{counts}, in {duration(answer.elapsed_seconds)}"]
    facts += [
        f"{one.n_broken} completed break {text(one.metric)} {text(one.limit)}"
        for one in answer.constraints
        if one.n_broken
    ]
    if answer.method_reason:
        facts.append(f"{text(answer.method)}, chosen by auto: {text(answer.method_reason)}")
    if answer.search_end:
        facts.append(f"It ended: {text(answer.search_end)}")
    return facts
