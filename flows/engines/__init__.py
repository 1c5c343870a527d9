"""Which machines train: Prefect's task runners for Ray and Dask, or worker processes of our own."""
