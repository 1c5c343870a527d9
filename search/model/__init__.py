"""The surrogate model and what is asked of it: Gaussian process, acquisition functions and their optimiser."""
