"""Bayesian optimisation."""

from contracts.samplers import SamplerContract


class TestBayesSampler(SamplerContract):
    method = "bayes"
