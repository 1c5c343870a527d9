"""JAX: a function that trains, gradient by gradient; called by whoever wants its loss."""

import jax
import jax.numpy as jnp

X = jax.random.normal(jax.random.key(0), (200, 3))
Y = X @ jnp.array([1.0, -2.0, 0.5]) + 0.3


def loss_of(weights, rows):
    return jnp.mean((X[rows] @ weights[:3] + weights[3] - Y[rows]) ** 2)


def run(lr, epochs=4):
    weights = jnp.zeros(4)
    for _ in range(epochs):
        for start in range(0, 160, 40):
            weights -= lr * jax.grad(loss_of)(weights, slice(start, start + 40))
    return float(loss_of(weights, slice(160, 200)))


if __name__ == "__main__":
    print(run(0.1))
