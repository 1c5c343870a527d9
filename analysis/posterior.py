"""Hierarchical posterior (shrinkage) of the finalists' true means from their values on fresh seeds; decides nothing.

The largest of several noisy means is too large: whoever is picked was lucky too. Finalists therefore share a
distribution, so that each mean is pulled towards the others by as much as the noise warrants (Efron & Morris 1975);
such a posterior stays calibrated after picking (Dawid 1994). They share a distribution of their noise as well, so that
five seeds of one finalist borrow strength from those of the others (Smyth 2004).

    y[i, r] = mu[i] + c[i] + b[r] + e[i, r]        finalist i, seed r (common to all finalists)
    mu[i] ~ Student t4(m, tau),  b[r] ~ N(0, s_b^2),  e[i, r] ~ N(0, s_i^2)
    c ~ N(0, C), what the rows do to all seeds alike; C is measured on them (`row_noise`), 0 where it is not known
    s_i^2 ~ scaled inverse chi^2(nu, s0^2)
    m, log s0 flat;  tau, s_b half-Cauchy (Gelman 2006);  nu uniform on a grid

Drawn by a Gibbs sampler in many short chains at once.
"""

from dataclasses import dataclass

import numpy as np

from pegbox.analysis.replicates import Array, Replicates

# 20,000 draws: were they independent, a probability would be within half a percent. Many short chains, because numpy
# steps through all of them at once, and each begins at the two-way fit, next to where it goes. Lengths picked by hand.
N_CHAINS = 250
N_BURN_IN = 60
N_KEPT = 80
# nu by doubling: from noises that differ widely to one that is all but common. t4: one finalist far from the others is
# believed, and pulls nobody along. Both picked by hand.
_NU = np.array([4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1024.0])
_T_FREEDOM = 4.0
BETWEEN_SCALE = 0.5
"""Prior scale of the finalists' spread, in units of the noise of one value; set by `benchmarks/selection.py`."""
SEED_SCALE = 0.4
"""Prior scale of what a seed does to all finalists alike, in the same units; set likewise."""


def mean_draws(replicates: Replicates) -> Array:
    """Draws of each finalist's true mean loss, shape (n_draws, n_finalists): over seeds, and over rows where known.

    Finalists whose spread cannot be known (one value each, or values without any spread on rows of which nothing is
    known) are drawn at their means.
    """
    rows = replicates.row_covariance
    scale = _noise_scale(replicates, rows)
    if scale == 0:
        # One draw: with a value each nothing is known of the noise, and a prior alone must not make an interval.
        return replicates.means[None, :]
    centre = float(replicates.means.mean())
    rows = None if rows is None else rows / scale**2
    chains = _Chains((replicates.losses - centre) / scale, rows, replicates.rng())
    return np.asarray(centre + scale * chains.run(), dtype=float)


def _noise_scale(replicates: Replicates, rows: Array | None) -> float:
    """Standard deviation of what blurs a difference of finalists, in one value; 0 where there is none to see."""
    freedom = int((replicates.counts - 1).sum())
    if freedom < 1:
        return 0.0
    residuals = replicates.losses - replicates.means[:, None]
    variance = float(np.nansum(residuals**2)) / freedom
    if variance <= (1e-12 * float(np.nanmax(np.abs(replicates.losses)))) ** 2:
        variance = 0.0
    if rows is not None:
        own = float(rows.diagonal().mean())
        # Half the variance of a difference; of a single finalist, and of finalists that answer alike, its own.
        apart = own - float(rows[~np.eye(len(rows), dtype=bool)].mean()) if len(rows) > 1 else own
        variance += apart if apart > 1e-12 * own else own
    return float(np.sqrt(variance))


def _two_way_fit(losses: Array) -> tuple[Array, Array, float]:
    """Means of finalists and effects of seeds by backfitting, and the noise that they leave: where chains begin."""
    mean, seed_effect = np.nanmean(losses, axis=1), np.zeros(losses.shape[1])
    if min(losses.shape) < 2:
        return mean, seed_effect, 1.0
    # Backfitting, since seeds that failed leave holes; ten rounds are more than enough for a place to begin.
    for _ in range(10):
        seed_effect = np.nanmean(losses - mean[:, None], axis=0)
        seed_effect -= seed_effect.mean()
        mean = np.nanmean(losses - seed_effect, axis=1)
    residuals = losses - mean[:, None] - seed_effect
    freedom = max(np.isfinite(losses).sum() - sum(losses.shape) + 1, 1)
    return mean, seed_effect, max(float(np.nansum(residuals**2) / freedom), 1e-4)


def _root(covariance: Array) -> Array:
    """A with A A' = covariance, which may be singular: finalists that answer alike are one."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=float)


def _inverse_gamma(rng: np.random.Generator, shape: Array | float, rate: Array) -> Array:
    return np.asarray(rate / rng.gamma(shape, size=np.broadcast_shapes(np.shape(shape), rate.shape)))


@dataclass
class _HalfCauchy:
    """A variance whose square root has a half-Cauchy prior, as a mixture (Makalic & Schmidt 2016)."""

    value: Array
    mixing: Array
    scale: float

    def draw(self, rng: np.random.Generator, n_effects: int, sum_of_squares: Array) -> None:
        rate = 1 / self.mixing + sum_of_squares / 2
        # Held within 16 decades: values that agree to the last digit would let a variance underflow to zero.
        self.value = np.clip(_inverse_gamma(rng, (n_effects + 1) / 2, rate), 1e-8, 1e8)
        self.mixing = _inverse_gamma(rng, 1.0, self.scale**-2 + 1 / self.value)


class _Chains:
    """The state of all chains; arrays have shape (n_chains, ...), losses are in units of the pooled noise."""

    def __init__(self, losses: Array, rows: Array | None, rng: np.random.Generator) -> None:
        self.rng, self.rows = rng, rows
        self.row_root = None if rows is None else _root(rows)
        self.present = np.isfinite(losses).astype(float)
        self.losses = np.where(np.isfinite(losses), losses, 0.0)
        self.n_finalists, self.n_seeds = losses.shape
        self.counts = self.present.sum(axis=1)
        ones = np.ones(N_CHAINS)
        mean, seed_effect, noise = _two_way_fit(losses)
        self.mean = np.tile(mean, (N_CHAINS, 1))
        """mu, the true means: of all rows that there could be."""
        self.on_rows = self.mean
        """mu + c, those on the rows that there are."""
        self.seed_effect = np.tile(seed_effect, (N_CHAINS, 1))
        self.noise = np.full((N_CHAINS, self.n_finalists), noise)
        self.noise_scale, self.nu = noise * ones, np.full(N_CHAINS, 16.0)
        self.between = _HalfCauchy(ones, ones, BETWEEN_SCALE)
        self.seed_variance = _HalfCauchy(ones * max(float(seed_effect.var()), 0.01), ones, SEED_SCALE)
        self.weight = np.ones((N_CHAINS, self.n_finalists))
        self.centre = self.mean.mean(axis=1)

    def run(self) -> Array:
        """Kept draws of the means, shape (N_CHAINS * N_KEPT, n_finalists)."""
        kept = []
        for step in range(N_BURN_IN + N_KEPT):
            self._draw_means()
            if self.n_seeds > 1:
                self._draw_seed_effects()
            self._draw_centre()
            self._draw_noise()
            if step >= N_BURN_IN:
                kept.append(self.mean.copy())
        return np.concatenate(kept)

    def _draw_means(self) -> None:
        measured = ((self.losses - self.seed_effect[:, None, :]) * self.present).sum(axis=2) / self.counts
        prior, error = self.between.value[:, None] / self.weight, self.noise / self.counts
        if self.rows is None:
            self.mean = self.on_rows = self._between_prior_and(measured, prior, error)
        else:
            self._draw_means_and_rows(measured, prior, error)

    def _between_prior_and(self, measured: Array, prior: Array, error: Array) -> Array:
        precision = 1 / error + 1 / prior
        location = (measured / error + self.centre[:, None] / prior) / precision
        return np.asarray(location + self.rng.standard_normal(location.shape) / np.sqrt(precision))

    def _draw_means_and_rows(self, measured: Array, prior: Array, error: Array) -> None:
        """Both at once, by correcting a draw that has not seen the values (Matheron's rule; Doucet 2010)."""
        assert self.rows is not None
        assert self.row_root is not None
        normal = self.rng.standard_normal((3, *measured.shape))
        mean = self.centre[:, None] + np.sqrt(prior) * normal[0]
        on_rows = mean + normal[1] @ self.row_root.T
        missed = measured - on_rows - np.sqrt(error) * normal[2]
        total = self.rows + (prior + error)[:, :, None] * np.eye(self.n_finalists)
        pull = np.linalg.solve(total, missed[:, :, None])[:, :, 0]
        self.mean = mean + prior * pull
        self.on_rows = on_rows + prior * pull + pull @ self.rows

    def _draw_seed_effects(self) -> None:
        rest = (self.losses - self.on_rows[:, :, None]) * self.present
        precision = np.einsum("ir,ci->cr", self.present, 1 / self.noise) + 1 / self.seed_variance.value[:, None]
        location = np.einsum("cir,ci->cr", rest, 1 / self.noise) / precision
        self.seed_effect = location + self.rng.standard_normal(location.shape) / np.sqrt(precision)
        # Moving all means up and all seeds down changes no fit; drawing that shift at once lets the chains mix.
        spread = np.sqrt(self.seed_variance.value / self.n_seeds)
        shift = self.seed_effect.mean(axis=1) + spread * self.rng.standard_normal(N_CHAINS)
        self.seed_effect -= shift[:, None]
        self.mean, self.on_rows = self.mean + shift[:, None], self.on_rows + shift[:, None]
        self.seed_variance.draw(self.rng, self.n_seeds, (self.seed_effect**2).sum(axis=1))

    def _draw_centre(self) -> None:
        precision = self.weight / self.between.value[:, None]
        total = precision.sum(axis=1)
        self.centre = (precision * self.mean).sum(axis=1) / total + self.rng.standard_normal(N_CHAINS) / np.sqrt(total)
        square = (self.mean - self.centre[:, None]) ** 2
        rate = _T_FREEDOM / 2 + square / (2 * self.between.value[:, None])
        self.weight = np.clip(1 / _inverse_gamma(self.rng, (_T_FREEDOM + 1) / 2, rate), 1e-6, 1e6)
        self.between.draw(self.rng, self.n_finalists, (self.weight * square).sum(axis=1))

    def _draw_noise(self) -> None:
        fit = self.on_rows[:, :, None] + self.seed_effect[:, None, :]
        square = ((self.losses - fit) ** 2 * self.present).sum(axis=2)
        nu = self.nu[:, None]
        self.noise = _inverse_gamma(self.rng, (nu + self.counts) / 2, (nu * self.noise_scale[:, None] + square) / 2)
        self.noise = np.clip(self.noise, 1e-8, 1e8)
        total = (1 / self.noise).sum(axis=1)
        self.noise_scale = self.rng.gamma(self.n_finalists * self.nu / 2) / (self.nu * total / 2)
        self.nu = self._draw_freedom(total)

    def _draw_freedom(self, total: Array) -> Array:
        """nu from its grid; log p = k (nu/2 log(nu s0/2) - lgamma(nu/2)) - (nu/2 + 1) sum log s - nu s0/2 sum 1/s."""
        from scipy.special import gammaln

        half = _NU / 2
        logs = np.log(self.noise).sum(axis=1)[:, None]
        scale = self.noise_scale[:, None]
        log_density = (
            self.n_finalists * (half * np.log(half * scale) - gammaln(half))
            - (half + 1) * logs
            - half * scale * total[:, None]
        )
        weights = np.cumsum(np.exp(log_density - log_density.max(axis=1, keepdims=True)), axis=1)
        picks = (weights < self.rng.random((N_CHAINS, 1)) * weights[:, -1:]).sum(axis=1)
        return np.asarray(_NU[picks])
