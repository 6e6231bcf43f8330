"""Two hundred subscribers on one run at ten frames a second: is every frame delivered, and what does it cost?

    python benchmarks/sse.py [--subscribers 200] [--frames 150]

The real application serves (in a process of its own, measured), a worker hands out a real run's records at ten frames a
second; the subscribers are in this process and check that every frame comes once and in order. CPU is counted from the
first frame to the end.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
FRAMES_PER_SECOND = 10
START_SECONDS = 120
CPU_BUDGET = 0.5


def paced_run(config):
    """The records of `bnviz.training.run.run`, handed out at ten frames a second: delivery is measured here, not training."""
    from bnviz.records.records import StepMeasured
    from bnviz.training.run import run

    records = list(run(config))
    start = time.monotonic() + 2
    for record in records:
        if isinstance(record, StepMeasured):
            time.sleep(max(0.0, start + record.frame / FRAMES_PER_SECOND - time.monotonic()))
        yield record


def serve(port: int) -> None:
    """The real application, whose workers execute `paced_run`."""
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    import uvicorn

    from bnviz.runs.service import RunService, set_service
    from bnviz.runs.settings import ServerSettings
    from bnviz.runs.workers.engine import LocalEngine

    engine = LocalEngine(run="sse:paced_run", python_path=(str(Path(__file__).parent),))
    set_service(RunService(ServerSettings(data_dir=""), engine))
    from app import app

    uvicorn.run(app, port=port, log_level="warning")


class Subscriber(asyncio.Protocol):
    """Reads one stream as cheaply as possible and keeps the ids of the frames."""

    def __init__(self, path: str) -> None:
        self.path, self.ids, self.bytes, self.first_at = path, [], 0, 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rest, self._last = b"", b""

    def connection_made(self, transport) -> None:
        transport.write(f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        data = self._rest + data
        complete = data.rfind(b"\n") + 1
        position = data.find(b"\nid: ", 0, complete)
        if position >= 0 and not self.first_at:
            self.first_at = time.monotonic()
        while position >= 0:
            self.ids.append(int(data[position + 5 : data.find(b"\n", position + 5)]))
            position = data.find(b"\nid: ", position + 5, complete)
        self._rest = data[complete - 1 :] if complete else data  # the line break before an id may be the last one read
        if b"event: finished" in data and not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def connection_lost(self, error) -> None:
        if not self.done.done():
            self.done.set_result(None)


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def subscribe(port: int, path: str, count: int, server: psutil.Process) -> tuple[list[Subscriber], float, float]:
    """(subscribers, CPU seconds of the server, seconds) from the first frame to the end of the run."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Subscriber(path), "127.0.0.1", port) for _ in range(count)]
    subscribers = [protocol for _, protocol in made]
    while not any(subscriber.first_at for subscriber in subscribers):
        await asyncio.sleep(0.01)
    before, start = cpu_seconds(server), time.monotonic()
    await asyncio.wait_for(asyncio.gather(*(subscriber.done for subscriber in subscribers)), START_SECONDS)
    return subscribers, cpu_seconds(server) - before, time.monotonic() - start


def started(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS) as client:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                client.get("/api/health")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield client


def warm(client: httpx.Client) -> None:
    """One short run, so that the launcher is ready and the libraries are loaded."""
    created = client.post("/api/runs", json={"steps": 1}).json()
    client.get(created["links"]["stream"], params={"panel": "explore"})


def repeat_seconds(client: httpx.Client, body: str) -> float:
    """From the request for a run that has finished already to its first frame."""
    start = time.monotonic()
    created = client.post("/api/runs", content=body, headers={"content-type": "application/json"}).json()
    with client.stream("GET", created["links"]["stream"], params={"panel": "explore"}) as stream:
        for line in stream.iter_lines():
            if line == "event: frame":
                return time.monotonic() - start
    return float("inf")


def measure(count: int, frames: int) -> bool:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, __file__, "--serve", str(port)]) as server:
        try:
            for client in started(port):
                warm(client)
                body = json.dumps({"steps": (frames - 1) * 10, "measure_every": 10, "seed": 1})
                created = client.post("/api/runs", content=body, headers={"content-type": "application/json"}).json()
                path = created["links"]["stream"] + "?panel=explore"
                result = asyncio.run(subscribe(port, path, count, psutil.Process(server.pid)))
                again = statistics.median(repeat_seconds(client, body) for _ in range(10))
        finally:
            server.terminate()
    return report(*result, frames, again)


def report(subscribers: list[Subscriber], cpu: float, seconds: float, frames: int, again: float) -> bool:
    complete = sum(subscriber.ids == list(range(frames)) for subscriber in subscribers)
    sent = sum(subscriber.bytes for subscriber in subscribers)
    pace = (frames - 1) / seconds
    rows = [
        ("subscribers with every frame once, in order", f"{len(subscribers)}", f"{complete}", complete == len(subscribers)),
        ("server CPU, cores", f"<= {CPU_BUDGET}", f"{cpu / seconds:.3f}", cpu / seconds <= CPU_BUDGET),
        ("frames a second, each", f">= {0.9 * FRAMES_PER_SECOND:g}", f"{pace:.1f}", pace >= 0.9 * FRAMES_PER_SECOND),
        ("repeated run: request to first frame, ms", "<= 100", f"{1000 * again:.0f}", again <= 0.1),
    ]
    rate, size = sent / seconds / 1e6, sent / len(subscribers) / frames / 1e3
    print(f"{len(subscribers)} subscribers, {frames} frames, {seconds:.1f} s, {rate:.1f} MB/s, {size:.1f} kB a frame")
    print(f"{'figure':45} {'budget':>8} {'measured':>9}  ok")
    for figure, budget, value, ok in rows:
        print(f"{figure:45} {budget:>8} {value:>9}  {'yes' if ok else 'NO'}")
    return all(ok for *_, ok in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    else:
        sys.exit(0 if measure(options.subscribers, options.frames) else 1)


if __name__ == "__main__":
    main()
