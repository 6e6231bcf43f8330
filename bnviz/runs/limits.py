"""When a run has to end although nobody said so."""

from bnviz.records import RunEnded, RunFailed, RunStopped
from bnviz.runs.status import LiveRun
from bnviz.settings import Settings

MEGABYTE = 2**20


def overdue(run: LiveRun, settings: Settings, now: float) -> RunEnded | None:
    """The record that ends the run, when a limit in time is reached; `now` is of `time.monotonic`."""
    step = run.trace.step
    if not run.watchers and now - run.watched_at > settings.unwatched_seconds:
        return RunStopped(step, f"Stopped: nobody watched it for {settings.unwatched_seconds:g} seconds.")
    if run.state == "running" and now - run.started_at > settings.run_seconds:
        return RunStopped(step, f"Stopped: it reached the time limit of {settings.run_seconds:g} seconds.")
    if run.worker and now - run.heard_at > settings.stuck_seconds:
        return RunFailed(step, f"The worker gave no sign for {settings.stuck_seconds:g} seconds. Run it again.")
    return None


def oversized(run: LiveRun, settings: Settings) -> RunEnded | None:
    """The record that ends the run, when its records take too much memory."""
    if run.trace.record_bytes <= settings.run_mb * MEGABYTE:
        return None
    reason = f"Stopped: its records take more than {settings.run_mb} MB. Measure less often or fewer trials."
    return RunStopped(run.trace.step, reason)
