"""The model that a study ends in: preprocessing and weights as one file; may import training and datasets."""
