"""Stores that several machines share: journals travel through an object storage, each machine folds them for itself."""
