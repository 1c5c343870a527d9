"""What to try next: one algorithm a file, our own and those of Optuna and Hyperopt."""
