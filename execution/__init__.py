"""Where and how trainings run: worker pool, slots, crews on this machine, Ray or Dask, exchange of files and code.

May import training, datasets, storage and schemas; never Prefect, which the flows and tasks around it need.
"""
