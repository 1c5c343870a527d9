"""One file a kind: builds a torch module from its hyperparameters and the shape of the data."""
