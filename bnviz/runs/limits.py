"""When a run has to end although nobody said so, and when an ended one is forgotten."""

from collections.abc import Sequence

from bnviz.records.records import RunEnded, RunFailed, RunStopped
from bnviz.runs.settings import ServerSettings
from bnviz.runs.status import LiveRun

MEGABYTE = 2**20
MAX_KEPT_RUNS = 500  # ended runs in memory, however small
KEEP_SECONDS = 10.0  # one that somebody has just asked for stays, whatever it takes: a page asks again


def overdue(run: LiveRun, settings: ServerSettings, now: float) -> RunEnded | None:
    """The record that ends the run, when a limit in time is reached; `now` is of `time.monotonic`."""
    step = run.journal.step
    if not run.watchers and now - run.watched_at > settings.unwatched_seconds:
        return RunStopped(step, f"Stopped: nobody watched it for {settings.unwatched_seconds:g} seconds.")
    if run.state == "running" and now - run.started_at > settings.run_seconds:
        return RunStopped(step, f"Stopped: it reached the time limit of {settings.run_seconds:g} seconds.")
    if run.worker and now - run.heard_at > settings.stuck_seconds:
        return RunFailed(step, f"The worker did not respond for {settings.stuck_seconds:g} seconds. Run it again.")
    return None


def oversized(run: LiveRun, settings: ServerSettings) -> RunEnded | None:
    """The record that ends the run, when its records take too much memory."""
    if run.journal.record_bytes <= settings.run_mb * MEGABYTE:
        return None
    reason = f"Stopped: its records take more than {settings.run_mb} MB. Measure less often or train fewer trials."
    return RunStopped(run.journal.step, reason)


def forgettable(runs: Sequence[LiveRun], settings: ServerSettings, now: float) -> list[LiveRun]:
    """The ended runs to forget so that the others keep within the bounds on memory; `runs` from least recently used."""
    ended = [run for run in runs if run.over]
    excess_bytes = sum(run.journal.bytes for run in ended) - settings.trace_mb * MEGABYTE
    excess_runs = len(ended) - MAX_KEPT_RUNS
    found = []
    for run in ended:
        if excess_bytes <= 0 and excess_runs <= 0:
            break
        if not run.watchers and now - max(run.watched_at, run.ended_at or now) > KEEP_SECONDS:
            found.append(run)
            excess_bytes -= run.journal.bytes
            excess_runs -= 1
    return found
