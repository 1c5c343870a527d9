"""Prefect's server: started for the runs of a store, and told to mark dead flow runs."""
