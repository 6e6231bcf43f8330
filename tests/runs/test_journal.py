"""Traces: their order, their feeds and how they wake those who wait."""

import asyncio
import threading

import pytest

from bnviz.config.models import RunConfig
from bnviz.records.records import RunFinished, RunStarted, RunStopped, StepMeasured
from bnviz.runs.journal import Journal, OutOfOrder

STARTED = RunStarted("0" * 16, RunConfig(), (), (), (), 64, 10, None, {})


class Letters:
    """Encodes to something readable and counts, as a panel with state does."""

    def __init__(self, broken_at: int = -1) -> None:
        self.seen, self.broken_at = 0, broken_at

    def start(self, record: RunStarted) -> bytes:
        return b"start"

    def frame(self, record: StepMeasured) -> bytes:
        if record.frame == self.broken_at:
            raise ValueError("no")
        self.seen += 1
        return b"%d:%d" % (record.frame, self.seen)

    def end(self, record: object) -> bytes:
        return b"end"


def frame(number: int) -> StepMeasured:
    return StepMeasured(number, number * 10, ())


def filled(frames: int = 3) -> Journal:
    journal = Journal()
    for record in (STARTED, *map(frame, range(frames))):
        journal.append(record)
    return journal


def test_counts():
    journal = Journal()
    assert (journal.frame_count, journal.step, journal.ended) == (0, 0, None)
    journal = filled(3)
    assert (journal.frame_count, journal.step, journal.ended) == (3, 20, None)
    journal.append(RunFinished(20))
    assert (journal.frame_count, journal.step, journal.ended) == (3, 20, RunFinished(20))
    assert journal.bytes > 0


@pytest.mark.parametrize("record", [STARTED, frame(2), frame(4)])
def test_what_may_not_follow_is_refused(record):
    with pytest.raises(OutOfOrder):
        filled(3).append(record)


def test_nothing_comes_before_the_start_or_after_the_end():
    with pytest.raises(OutOfOrder):
        Journal().append(frame(0))
    journal = Journal()
    journal.append(RunStopped(0, "before it began"))
    assert journal.frame_count == 0
    with pytest.raises(OutOfOrder):
        journal.append(STARTED)


def test_a_feed_has_every_message_once_whenever_it_was_asked_for(until):
    journal = filled(3)
    late = journal.feed("letters", Letters)
    assert journal.feed("letters", Letters) is late
    journal.append(frame(3))
    journal.append(RunFinished(30))
    until(lambda: late.end)
    assert (late.start, late.frames, late.end) == (b"start", [b"0:1", b"1:2", b"2:3", b"3:4"], b"end")


def test_feeds_made_while_records_come_in_lose_and_double_nothing(until):
    for _ in range(20):
        journal, feeds = filled(1), []
        asker = threading.Thread(target=lambda t=journal, f=feeds: f.append(t.feed("letters", Letters)))
        asker.start()
        for number in range(1, 50):
            journal.append(frame(number))
        asker.join()
        until(lambda f=feeds: len(f[0].frames) == 50)
        assert feeds[0].frames == [b"%d:%d" % (number, number + 1) for number in range(50)]


def test_a_broken_encoder_is_kept_as_the_feed_s_error(until):
    journal = filled(3)
    feed = journal.feed("broken", lambda: Letters(broken_at=1))
    until(lambda: feed.error)
    journal.append(frame(3))
    assert feed.frames == [b"0:1"]
    assert str(feed.error) == "no"


def test_one_call_into_the_loop_wakes_all_and_merges_changes():
    async def waiters() -> int:
        journal, calls = filled(1), 0
        loop = asyncio.get_running_loop()
        original = loop.call_soon_threadsafe

        def counted(*arguments):
            nonlocal calls
            calls += 1
            return original(*arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        events = [asyncio.Event() for _ in range(100)]
        for event in events:
            journal.wakeup.add(event)
        thread = threading.Thread(target=lambda: [journal.wakeup.notify() for _ in range(50)])
        thread.start()
        thread.join()  # the loop could not react meanwhile
        await asyncio.gather(*(event.wait() for event in events))
        journal.wakeup.remove(events[0])
        events[0].clear()
        journal.wakeup.notify()
        await events[1].wait()
        assert not events[0].is_set()
        return calls

    assert asyncio.run(waiters()) == 2


def test_a_closed_loop_is_forgotten():
    journal = filled(1)

    async def add() -> None:
        journal.wakeup.add(asyncio.Event())

    asyncio.run(add())
    journal.wakeup.notify()
    journal.wakeup.notify()
    assert journal.wakeup._waiting == {}
