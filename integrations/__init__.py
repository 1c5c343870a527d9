"""Other tools' languages, one file a tool and direction: Optuna, Hyperopt; may import schemas only."""
