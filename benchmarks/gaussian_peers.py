"""Peers that model the loss by a Gaussian process and train each configuration to the end; no registry."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from full_peers import AskTell, UnspeakableSpaceError, plain

from pegbox.schemas.base import Configuration
from pegbox.schemas.domains import Categorical, Float, Integer
from pegbox.schemas.space import Space
from pegbox.search.samplers.sobol import SobolSequence
from pegbox.search.space.encoding import SpaceEncoding

Array = npt.NDArray[np.float64]


class CubePeer(AskTell):
    """What is built of BoTorch's parts: a Sobol sequence over the cube, and then the points of a model."""

    def __init__(self, space: Space, seed: int, n_initial: int) -> None:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._torch = torch
        self._encoding = SpaceEncoding(space)
        # Of two values there is no wrong order.
        unordered = (axis for axis in self._encoding.axes if not axis.is_ordered)
        if any(axis.n_values is not None and axis.n_values > 2 for axis in unordered):
            raise UnspeakableSpaceError("BoTorch is driven here on ordered parameters only, and on two values.")
        if any(domain.when for domain in space.parameters.values()):
            raise UnspeakableSpaceError("BoTorch is driven here without conditional parameters.")
        self._n_initial, self._n_forgotten = n_initial, 0
        self._initial = SobolSequence(self._encoding.n_dims, seed)
        self._n_asked = 0
        self._points: list[Array] = []
        self._losses: list[float] = []
        self._pending: list[Array] = []

    def ask(self) -> tuple[Configuration, Any]:
        # A process of fewer than three values would know nothing of their scale.
        is_initial = self._n_asked < self._n_initial or len(self._losses) - self._n_forgotten < 3
        point = self._initial.point(self._n_asked) if is_initial else self._best()
        self._n_asked += 1
        snapped = self._encoding.snap(point[None])[0]
        self._pending.append(snapped)
        return self._encoding.decode(snapped), snapped

    def tell(self, token: Any, loss: float | None) -> None:
        self._pending = [point for point in self._pending if point is not token]
        if loss is not None:
            self._points.append(token)
            self._losses.append(loss)

    def _best(self) -> Array:
        raise NotImplementedError

    def _fitted(self, points: Array, losses: list[float], **parts: Any) -> Any:
        """BoTorch's process on points of the cube, of values that are made large."""
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Standardize
        from gpytorch.mlls import ExactMarginalLogLikelihood

        values = -self._torch.tensor(losses, dtype=self._torch.double)[:, None]
        model = SingleTaskGP(self._torch.tensor(points), values, outcome_transform=Standardize(1), **parts)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        return model


class BoTorchPeer(CubePeer):
    """BoTorch's single-task process with noisy expected improvement."""

    # Picked by hand: somewhat more than LCBench has dimensions.
    N_INITIAL = 10

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed, self.N_INITIAL)

    def _best(self) -> Array:
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.optim import optimize_acqf

        points = np.array(self._points)
        model = self._fitted(points, self._losses)
        pending = self._torch.tensor(np.array(self._pending)) if self._pending else None
        # The logarithm, as its authors advise (Ament et al. 2023): plain expected improvement is flat where it is tiny.
        baseline = self._torch.tensor(points)
        improvement = qLogNoisyExpectedImprovement(model, baseline, X_pending=pending, prune_baseline=True)
        bounds = self._torch.tensor([[0.0] * points.shape[1], [1.0] * points.shape[1]], dtype=self._torch.double)
        # Restarts, samples and iterations are picked by hand: more of them find little and make each ask longer.
        found, _ = optimize_acqf(improvement, bounds, q=1, num_restarts=4, raw_samples=256, options={"maxiter": 60})
        return np.asarray(found[0].numpy())


class TurboPeer(CubePeer):
    """TuRBO-1 of BoTorch's parts: Thompson sampling in a box around the best that grows and shrinks.

    Source: Eriksson et al. 2019, whose constants these are; BoTorch's tutorial of it, which waits for ten successes.
    """

    FIRST, SHORTEST, LONGEST = 0.8, 0.5**7, 1.6
    """Side of the box, in sides of the cube."""
    N_SUCCESSES = 3
    """In a row, before the box is doubled."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed, n_initial=2 * len(space.parameters))
        # A batch is one point here: the tutorial's max(4 / batch, dimensions / batch).
        self._n_failures = max(4, self._encoding.n_dims)
        self._seed, self._n_restarts = seed, 0
        self._begin_box()

    def _begin_box(self) -> None:
        self._length, self._in_a_row = self.FIRST, 0
        self._n_forgotten = len(self._losses)

    def tell(self, token: Any, loss: float | None) -> None:
        before = self._losses[self._n_forgotten :]
        super().tell(token, loss)
        if len(before) >= self._n_initial:
            # A thousandth of the best, as in the tutorial: less is no success.
            self._resize(loss is not None and loss < min(before) - 1e-3 * abs(min(before)))

    def _resize(self, is_success: bool) -> None:
        streak = max(self._in_a_row, 0) + 1 if is_success else min(self._in_a_row, 0) - 1
        if streak == self.N_SUCCESSES:
            self._length, streak = min(2 * self._length, self.LONGEST), 0
        elif streak == -self._n_failures:
            self._length, streak = self._length / 2, 0
        self._in_a_row = streak
        if self._length < self.SHORTEST:
            # Begins anew elsewhere, and forgets: that is how it leaves a local optimum.
            self._n_restarts += 1
            self._n_initial, self._n_asked = 2 * self._encoding.n_dims, 0
            self._initial = SobolSequence(self._encoding.n_dims, self._seed + self._n_restarts)
            self._begin_box()

    def _best(self) -> Array:
        from botorch.generation import MaxPosteriorSampling
        from gpytorch.constraints import Interval
        from gpytorch.kernels import MaternKernel, ScaleKernel

        points, losses = np.array(self._points[self._n_forgotten :]), self._losses[self._n_forgotten :]
        n_dims = points.shape[1]
        kernel = ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=n_dims, lengthscale_constraint=Interval(0.005, 4.0)))
        model = self._fitted(points, losses, covar_module=kernel)
        tries = self._candidates(points[int(np.argmin(losses))], kernel.base_kernel.lengthscale.detach().numpy()[0])
        with self._torch.no_grad():
            found = MaxPosteriorSampling(model=model, replacement=False)(self._torch.tensor(tries), num_samples=1)
        return np.asarray(found[0].numpy())

    def _candidates(self, centre: Array, lengthscales: Array) -> Array:
        """Points of the box, which is longer where the model is flatter; each moves some coordinates of the centre."""
        sides = lengthscales / lengthscales.mean()
        sides = self._length * sides / math.exp(np.log(sides).mean())
        low, high = np.clip(centre - sides / 2, 0, 1), np.clip(centre + sides / 2, 0, 1)
        n_dims = len(centre)
        n_tries = min(5000, max(2000, 200 * n_dims))
        draws = self._torch.quasirandom.SobolEngine(n_dims, scramble=True).draw(n_tries).double().numpy()
        is_moved = self._torch.rand(n_tries, n_dims).numpy() <= min(20 / n_dims, 1.0)
        is_moved[np.arange(n_tries), self._torch.randint(n_dims, (n_tries,)).numpy()] = True
        return np.where(is_moved, low + (high - low) * draws, centre)


class HeboPeer(AskTell):
    """HEBO: a warped process, and one of the points that three acquisitions trade off.

    Source: Cowen-Rivers et al. 2022.
    """

    def __init__(self, space: Space, seed: int) -> None:
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - HEBO draws from the global generator
        self._names = list(space.parameters)
        described = [{"name": name} | _described(name, domain) for name, domain in space.parameters.items()]
        self._hebo = HEBO(DesignSpace().parse(described), scramble_seed=seed)
        self._is_integer = {name: isinstance(domain, Integer) for name, domain in space.parameters.items()}

    def ask(self) -> tuple[Configuration, Any]:
        row = self._hebo.suggest(n_suggestions=1)
        asked = plain(row.iloc[0].to_dict())
        # A row of a table of numbers holds floats only, integers among them.
        return {name: int(asked[name]) if self._is_integer[name] else asked[name] for name in self._names}, row

    def tell(self, token: Any, loss: float | None) -> None:
        # It leaves out what is not finite, and so do the failures here.
        self._hebo.observe(token, np.array([[np.nan if loss is None else loss]]))


def _described(name: str, domain: Any) -> dict[str, Any]:
    """A range or list in HEBO's words."""
    if isinstance(domain, Categorical):
        return {"type": "cat", "categories": list(domain.values)}
    if isinstance(domain, Float):
        more = {"type": "pow", "base": 10} if domain.log else {"type": "num"}
    elif isinstance(domain, Integer) and not domain.power_of_two:
        more = {"type": "pow_int", "base": 10} if domain.log else {"type": "int"}
    else:
        raise UnspeakableSpaceError(f"{name} is no range and no list; this peer is driven on those only.")
    return more | {"lb": domain.min, "ub": domain.max}
