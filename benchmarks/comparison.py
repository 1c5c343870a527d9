"""A method of ours beside its peers on the runs that both have: ratios, their errors, wins, and the bars."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from figures import Figure

Regrets = Mapping[tuple[str, int], float]
"""Of one method after so many trials, by problem and seed."""

TPE, GP, BEST = "Optuna TPE", "Optuna GP", "the best peer"
BARS: dict[tuple[str, int, str], float] = {
    ("interior", 50, TPE): 0.45,
    ("noisy", 25, TPE): 0.8,
    ("noisy", 50, TPE): 0.6,
    ("heavy", 25, TPE): 0.6,
    ("heavy", 50, TPE): 0.5,
    ("20 dimensions", 50, TPE): 0.2,
    ("40 dimensions", 50, TPE): 0.4,
    ("real", 30, BEST): 0.75,
    ("lcbench plain", 50, TPE): 0.07,
    ("lcbench plain", 50, GP): 0.34,
    ("lcbench log", 50, TPE): 0.18,
    ("lcbench noisy", 50, TPE): 0.11,
    ("lcbench interior", 25, TPE): 0.6,
    ("lcbench interior", 50, TPE): 0.6,
    ("lcbench interior", 25, BEST): 0.8,
    ("lcbench interior", 50, BEST): 0.8,
}
"""The ratio that `bayes` may have at most, by kind, number of trials and peer: on kept problems, which decide."""
N_DRAWS = 2000
"""Of runs with replacement, for the error of a ratio: its second digit holds still."""


class Comparison(NamedTuple):
    """Two methods on the problems and seeds that both have run."""

    kind: str
    at: int
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Of the mean regrets, ours to theirs; below 1 where we are ahead."""
        return float(np.mean(self.ours) / np.mean(self.theirs))

    @property
    def error(self) -> float:
        """Standard error of the ratio over the pairs."""
        ours, theirs = np.array(self.ours), np.array(self.theirs)
        drawn = np.random.default_rng(0).integers(len(ours), size=(N_DRAWS, len(ours)))
        return float(np.std(ours[drawn].mean(axis=1) / theirs[drawn].mean(axis=1)))

    @property
    def wins(self) -> int:
        """Pairs in which ours is lower."""
        return sum(own < other for own, other in zip(self.ours, self.theirs, strict=True))

    def figures(self, is_best: bool, is_kept: bool) -> list[Figure]:
        """The ratio beside its bar; the best peer's twice, since it may have a bar of its own."""
        named = [self.peer, *([BEST] if is_best else [])]
        bars = [(peer, BARS.get((self.kind, self.at, peer)) if is_kept else None) for peer in named]
        said = f"of {self.peer}, {self.kind} @{self.at}, {len(self.ours)} runs"
        return [Figure(f"{said}, {BEST}" if peer == BEST else said, self.ratio, bar) for peer, bar in bars]


def compared(kind: str, at: int, ours: Regrets, peers: Mapping[str, Regrets]) -> list[Comparison]:
    """Ours beside each peer that has run the same problems and seeds, the best peer first.

    Which is the best is told by the ratio, since not all have run all problems.
    """
    made = []
    for peer, theirs in peers.items():
        common = sorted(ours.keys() & theirs.keys())
        if common:
            made.append(
                Comparison(kind, at, peer, tuple(ours[key] for key in common), tuple(theirs[key] for key in common))
            )
    return sorted(made, key=lambda one: -one.ratio)


def tell_comparisons(method: str, groups: Iterable[list[Comparison]], is_kept: bool) -> list[Figure]:
    """Print a line a peer, and give the ratios as figures."""
    figures = []
    print(f"\n{method} beside its peers, on the runs that both have: mean (median, worst)")
    for group in groups:
        for one in group:
            sides = "  ".join(
                f"{np.mean(side):.3f} ({np.median(side):.3f}, {max(side):.2f})" for side in (one.ours, one.theirs)
            )
            print(
                f"{one.kind:18}@{one.at:<4}{one.peer:22}{len(one.ours):>4} runs  {sides}"
                f"  ratio {one.ratio:.2f} ± {one.error:.2f}  ahead in {one.wins}"
            )
            figures += one.figures(one is group[0], is_kept)
    return figures
