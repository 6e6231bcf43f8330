"""Runs as the web process sees them: a worker process each, a trace of records, a queue, a store.

    submit(config) -> service -> engine -> launcher -> worker: run(config)     one process a run
    api, pages     <- trace (append-only) <- codec <- data socket <-|
                         |-> store (finished runs, on disk)

`launcher` and `worker` run in processes of their own and may import torch; nothing else here does.
"""
