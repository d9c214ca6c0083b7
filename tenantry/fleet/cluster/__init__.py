"""Runs on the workers of a Dask cluster, with `--scheduler` and the extra `dask`.

    bundle.py      the repository as one archive, packed here and unpacked on workers
    fitness.py     the requirements for a worker, checked by the worker itself
    rates.py       one request budget for all workers
    ticket.py      the right to begin a job, which only one worker can take
    worker.py      the functions that run on a worker
    connection.py  the scheduler and its workers
    reading.py     the status of stacks, read by workers
    executor.py    an executor for `tenantry.fleet.pool` that sends jobs to workers

This package is imported only with `--scheduler`. Credentials never leave their machine, because each worker
uses its own environment.
"""
