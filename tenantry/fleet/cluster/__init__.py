"""Runs over many stacks on the workers of a Dask cluster: `--scheduler`, and the extra `dask`.

bundle.py      the repository as one archive, packed here and unpacked on workers
fitness.py     what a worker must have, looked at by the worker itself
rates.py       one budget of requests for all workers
ticket.py      the right to begin a job, which is taken once
worker.py      what a worker does with a job
connection.py  the scheduler, and which workers are there
reading.py     how stacks stand, read by workers
executor.py    hands jobs to workers, behind the interface that `tenantry.fleet.pool` has

Imported with `--scheduler` alone. Credentials never leave the machine that has them: each worker uses those
of its own environment.
"""
