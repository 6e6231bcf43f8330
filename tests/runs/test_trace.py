"""Traces: their order, their feeds and how they wake those who wait."""

import asyncio
import threading

import pytest

from bnviz.config.models import RunConfig
from bnviz.records.records import RunFinished, RunStarted, RunStopped, StepMeasured
from bnviz.runs.trace import OutOfOrder, Trace

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


def filled(frames: int = 3) -> Trace:
    trace = Trace()
    for record in (STARTED, *map(frame, range(frames))):
        trace.append(record)
    return trace


def test_counts():
    trace = Trace()
    assert (trace.frame_count, trace.step, trace.ended) == (0, 0, None)
    trace = filled(3)
    assert (trace.frame_count, trace.step, trace.ended) == (3, 20, None)
    trace.append(RunFinished(20))
    assert (trace.frame_count, trace.step, trace.ended) == (3, 20, RunFinished(20))
    assert trace.bytes > 0


@pytest.mark.parametrize("record", [STARTED, frame(2), frame(4)])
def test_what_may_not_follow_is_refused(record):
    with pytest.raises(OutOfOrder):
        filled(3).append(record)


def test_nothing_comes_before_the_start_or_after_the_end():
    with pytest.raises(OutOfOrder):
        Trace().append(frame(0))
    trace = Trace()
    trace.append(RunStopped(0, "before it began"))
    assert trace.frame_count == 0
    with pytest.raises(OutOfOrder):
        trace.append(STARTED)


def test_a_feed_has_every_message_once_whenever_it_was_asked_for(until):
    trace = filled(3)
    late = trace.feed("letters", Letters)
    assert trace.feed("letters", Letters) is late
    trace.append(frame(3))
    trace.append(RunFinished(30))
    until(lambda: late.end)
    assert (late.start, late.frames, late.end) == (b"start", [b"0:1", b"1:2", b"2:3", b"3:4"], b"end")


def test_feeds_made_while_records_come_in_lose_and_double_nothing(until):
    for _ in range(20):
        trace, feeds = filled(1), []
        asker = threading.Thread(target=lambda t=trace, f=feeds: f.append(t.feed("letters", Letters)))
        asker.start()
        for number in range(1, 50):
            trace.append(frame(number))
        asker.join()
        until(lambda f=feeds: len(f[0].frames) == 50)
        assert feeds[0].frames == [b"%d:%d" % (number, number + 1) for number in range(50)]


def test_a_broken_encoder_is_kept_as_the_feed_s_error(until):
    trace = filled(3)
    feed = trace.feed("broken", lambda: Letters(broken_at=1))
    until(lambda: feed.error)
    trace.append(frame(3))
    assert feed.frames == [b"0:1"]
    assert str(feed.error) == "no"


def test_one_call_into_the_loop_wakes_all_and_merges_changes():
    async def waiters() -> int:
        trace, calls = filled(1), 0
        loop = asyncio.get_running_loop()
        original = loop.call_soon_threadsafe

        def counted(*arguments):
            nonlocal calls
            calls += 1
            return original(*arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        events = [asyncio.Event() for _ in range(100)]
        for event in events:
            trace.wakeup.add(event)
        thread = threading.Thread(target=lambda: [trace.wakeup.notify() for _ in range(50)])
        thread.start()
        thread.join()  # the loop could not react meanwhile
        await asyncio.gather(*(event.wait() for event in events))
        trace.wakeup.remove(events[0])
        events[0].clear()
        trace.wakeup.notify()
        await events[1].wait()
        assert not events[0].is_set()
        return calls

    assert asyncio.run(waiters()) == 2


def test_a_closed_loop_is_forgotten():
    trace = filled(1)

    async def add() -> None:
        trace.wakeup.add(asyncio.Event())

    asyncio.run(add())
    trace.wakeup.notify()
    trace.wakeup.notify()
    assert trace.wakeup._waiting == {}
