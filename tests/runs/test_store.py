"""Finished runs on disk: there after a restart, bounded, never a reason for a run to fail."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bnviz.config.models import RunConfig
from bnviz.records.codec import encode
from bnviz.records.records import RunFinished, RunStarted, StepMeasured
from bnviz.runs import store as store_module
from bnviz.runs.store import FILE_NAME, Store


def payloads(config: RunConfig, frames: int = 2) -> list[bytes]:
    started = RunStarted(config.run_id, config, (), (), (), 64, 10, None, {})
    return [encode(record) for record in (started, *(StepMeasured(n, n, ()) for n in range(frames)), RunFinished(frames))]


def saved(store: Store, seed: int) -> str:
    config = RunConfig(seed=seed)
    assert store.save(config, payloads(config))
    return config.run_id


def test_what_was_saved_is_loaded(tmp_path):
    run_id = saved(Store(tmp_path, 10**6), 1)
    loaded = Store(tmp_path, 10**6).load(run_id)
    assert loaded is not None
    assert [payload for _, payload in loaded] == payloads(RunConfig(seed=1))
    assert isinstance(loaded[0][0], RunStarted)
    assert Store(tmp_path, 10**6).load("0" * 16) is None


def test_saving_twice_keeps_one(tmp_path):
    store = Store(tmp_path, 10**6)
    assert saved(store, 1) == saved(store, 1)
    loaded = store.load(RunConfig(seed=1).run_id)
    assert loaded is not None
    assert len(loaded) == 4


def test_the_least_recently_used_go_first(tmp_path):
    size = sum(map(len, payloads(RunConfig(seed=1))))
    store = Store(tmp_path, int(size * 2.5))
    first, second = saved(store, 1), saved(store, 2)
    assert store.load(first)
    third = saved(store, 3)
    assert [bool(store.load(run_id)) for run_id in (first, second, third)] == [True, False, True]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("SELECT count(DISTINCT run_id) FROM records").fetchone() == (2,), "the records go too"


def test_a_run_larger_than_the_bound_is_not_kept(tmp_path):
    config = RunConfig()
    assert not Store(tmp_path, 10).save(config, payloads(config))


def test_records_of_other_code_are_not_used(tmp_path, monkeypatch):
    run_id = saved(Store(tmp_path, 10**6), 1)
    monkeypatch.setattr(store_module, "code_hash", lambda: "f" * 16)
    assert Store(tmp_path, 10**6).load(run_id) is None


@pytest.mark.parametrize(
    "change", ["UPDATE records SET payload = x'00' WHERE position = 1", "DELETE FROM records WHERE position = 3"]
)
def test_broken_records_are_dropped_and_not_shown(tmp_path, change):
    store = Store(tmp_path, 10**6)
    run_id = saved(store, 1)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(change)
    assert store.load(run_id) is None
    assert saved(store, 1) == run_id
    assert store.load(run_id)


def test_two_processes_may_share_the_file(tmp_path):
    one, other = Store(tmp_path, 10**6), Store(tmp_path, 10**6)
    ids = [saved(one, 1), saved(other, 2)]
    assert all(store.load(run_id) for store in (one, other) for run_id in ids)
    one.close()
    assert one.load(ids[1]), "it is opened again when needed"


def test_a_file_that_is_no_database_costs_only_the_cache(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)
    store = Store(tmp_path, 10**6)
    assert store.load("0" * 16) is None
    assert not store.save(RunConfig(), payloads(RunConfig()))


def test_a_run_is_there_after_a_restart(make_service, config, finish, tmp_path, until):
    status = finish(make_service(data_dir=str(tmp_path)), config())
    until(lambda: Store(tmp_path, 10**6).load(status.id))
    again = make_service(data_dir=str(tmp_path))
    assert again.submit(config()).cached
    assert again.counts()["workers_busy"] == 0
    assert again.journal(status.id).frame_count == 6


def test_a_link_to_a_kept_run_works_without_a_submit(make_service, config, finish, tmp_path, until):
    status = finish(make_service(data_dir=str(tmp_path)), config())
    until(lambda: Store(tmp_path, 10**6).load(status.id))
    assert make_service(data_dir=str(tmp_path)).status(status.id).state == "finished"


def test_stopped_and_failed_runs_are_not_kept(make_service, config, finish, tmp_path, until):
    service = make_service(data_dir=str(tmp_path))
    failed = finish(service, config("crash"))
    until(lambda: service.counts()["workers_busy"] == 0)
    assert Store(tmp_path, 10**6).load(failed.id) is None


def test_a_folder_that_cannot_be_written_does_not_stop_a_run(make_service, config, finish, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert finish(make_service(data_dir=str(blocked / "below")), config()).state == "finished"
    assert Path(blocked).read_text() == "not a folder"
