"""Runs as the web process sees them: a worker process each, a journal of records, a queue, a store.

    submit(config) -> service -> workers.engine -> launcher -> worker: run_any(config)     one process per run
    web, pages     <- journal (append-only) <- codec <- data socket <-|
                         |-> store (finished runs, on disk; `origin` says of which code they are)

`limits` says when a run has to end, `settings` what the host allows; `recording` runs one in this process, without a page.
"""
