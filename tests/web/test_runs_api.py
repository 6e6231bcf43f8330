"""Creating, asking, stopping and exporting runs over HTTP."""

import io
import json
import threading

import httpx
import pandas as pd
import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.problems import MAX_PROBLEMS
from bnviz.web import api

JSON = {"content-type": "application/json"}


def post(server, content, headers=JSON) -> httpx.Response:
    return server.client.post("/runs", content=content, headers=headers)


def test_create_answers_with_the_id_and_links(server, config):
    answer = post(server, config().model_dump_json())
    body = answer.json()
    assert answer.status_code == 201
    assert body["id"] == config().run_id
    assert body["cached"] is False
    assert body["state"] in ("queued", "running")
    assert answer.headers["location"] == body["links"]["self"] == f"/api/runs/{body['id']}"
    for link in (body["links"]["self"], *body["links"]["curves"].values()):
        assert httpx.get(server.url + link).status_code == 200
    assert RunConfig.model_validate(body["config"]) == config()


def test_an_empty_body_object_is_the_default_race(server):
    assert post(server, "{}").json()["id"] == RunConfig().run_id


def test_a_finished_run_is_created_again_as_cached(server, config, until):
    run_id = server.submit(config())
    until(lambda: server.client.get(f"/runs/{run_id}").json()["state"] == "finished")
    answer = post(server, config().model_dump_json())
    assert (answer.status_code, answer.json()["cached"]) == (201, True)


def test_bad_configurations_list_field_received_and_allowed(server):
    answer = post(server, '{"steps": -1, "arms": [{"lr": "fast"}], "colour": 1}')
    assert answer.status_code == 422
    found = {problem["field"]: problem for problem in answer.json()["detail"]}
    assert set(found) == {"steps", "arms.0.lr", "colour"}
    assert found["steps"]["received"] == "-1"
    assert "0 to 5000" in found["steps"]["allowed"]
    assert all(set(problem) == {"field", "received", "allowed", "message"} for problem in found.values())
    assert "fast" in found["arms.0.lr"]["message"]


def test_thousands_of_mistakes_get_a_short_answer(server):
    answer = post(server, json.dumps(dict.fromkeys(map(str, range(6000)), 1)))
    assert answer.status_code == 422
    assert len(answer.content) < 10_000
    assert answer.json()["detail"][-1]["message"] == f"... and {6000 - MAX_PROBLEMS} more"


def test_configurations_are_read_beside_the_loop(server, monkeypatch):
    threads = []

    def noting(function):
        def noted(*arguments):
            threads.append(threading.current_thread())
            return function(*arguments)

        return noted

    for name in ("parse_config", "problems"):
        monkeypatch.setattr(api, name, noting(getattr(api, name)))
    assert post(server, '{"steps": -1}').status_code == 422
    assert len(threads) == 2
    assert server.loop_thread not in threads


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"arms": 1e999}', "\x00", '{"seed": ' + "9" * 5000 + "}"])
def test_bodies_that_are_no_configuration(server, body):
    answer = post(server, body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_run_that_costs_too_much(server):
    config = RunConfig(arms=(ArmConfig(width=512, depth=100),) * 6, trials=32, steps=5000)
    answer = post(server, config.model_dump_json())
    assert answer.status_code == 422
    assert "lower" in answer.json()["detail"][0]["message"]


def test_other_content_types_are_refused(server):
    for headers in ({"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}, {}):
        assert post(server, "{}", headers).status_code == 415
    assert post(server, "{}", {"content-type": "application/json; charset=utf-8"}).status_code == 201


def test_pages_of_other_sites_are_refused(server, config):
    for site in ("cross-site", "same-site"):
        assert post(server, "{}", JSON | {"sec-fetch-site": site}).status_code == 403
    run_id = server.submit(config())
    assert server.client.delete(f"/runs/{run_id}", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert post(server, "{}", JSON | {"sec-fetch-site": "same-origin"}).status_code == 201


def test_large_bodies_are_refused(server):
    assert post(server, b" " * (64 * 1024 + 1)).status_code == 413


def test_no_other_site_may_read(server):
    answer = server.client.get("/health", headers={"origin": "https://example.org"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_full_queue_is_429_and_says_when_to_come_back(make_server, config):
    server = make_server(max_workers=1, queue_size=1)
    for seed in range(2):
        server.submit(config("slow", steps=500, seed=seed))
    answer = post(server, config("slow", steps=500, seed=2).model_dump_json())
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "busy" in answer.json()["detail"]


def test_status_tells_the_queue_position_and_progress(make_server, config, until):
    server = make_server(max_workers=1)
    first, second = (server.submit(config("slow", steps=500, seed=seed)) for seed in range(2))
    assert server.client.get(f"/runs/{second}").json()["queue_position"] == 1
    until(lambda: server.client.get(f"/runs/{first}").json()["frames"] > 2)
    status = server.client.get(f"/runs/{first}").json()
    assert (status["state"], status["queue_position"], status["reason"]) == ("running", None, None)


def test_delete_stops(server, config):
    run_id = server.submit(config("slow", steps=500))
    answer = server.client.delete(f"/runs/{run_id}")
    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
    assert server.client.get(f"/runs/{run_id}").json()["reason"]
    assert server.client.delete(f"/runs/{run_id}").status_code == 200, "stopping twice is no error"


def test_delete_is_refused_while_others_watch(server, config, until):
    run_id = server.submit(config("slow", steps=500))
    with server.stream(run_id) as one, server.stream(run_id) as other:
        next(one), next(other)
        assert server.client.delete(f"/runs/{run_id}").status_code == 409
    until(lambda: server.service.live(run_id).watchers == 0)
    with server.stream(run_id) as one:
        next(one)
        assert server.client.delete(f"/runs/{run_id}").status_code == 200


@pytest.mark.parametrize("path", ["", "/stream", "/curves.csv", "/layers.parquet"])
def test_unknown_runs_are_404(server, path):
    answer = server.client.get("/runs/" + "0" * 16 + path)
    assert answer.status_code == 404
    assert "known" in answer.json()["detail"]


@pytest.mark.parametrize("run_id", ["abc", "0" * 17, "Z" * 16, "..%2f..%2fetc"])
def test_ids_of_another_form_are_refused(server, run_id):
    assert server.client.get(f"/runs/{run_id}").status_code in (404, 422)
    assert server.client.delete(f"/runs/{run_id}").status_code in (404, 422)


@pytest.mark.parametrize("table", ["curves", "layers", "histograms"])
def test_tables_are_the_same_in_both_formats(server, config, until, table):
    run_id = server.submit(config(steps=3))
    until(lambda: server.service.live(run_id).over)
    csv = server.client.get(f"/runs/{run_id}/{table}.csv")
    parquet = server.client.get(f"/runs/{run_id}/{table}.parquet")
    assert csv.headers["content-type"].startswith("text/csv")
    assert f"{table}.csv" in csv.headers["content-disposition"]
    one, other = pd.read_csv(io.StringIO(csv.text)), pd.read_parquet(io.BytesIO(parquet.content))
    assert list(one.columns) == list(other.columns)
    assert len(one) == len(other) > 0
    assert sorted(set(other["step"])) == [0, 1, 2, 3]


def test_names_are_no_formulas_in_a_csv_and_unchanged_in_parquet(server, until):
    name = '=HYPERLINK("//e.org")'
    arms = (ArmConfig(name="plain", depth=2, width=4), ArmConfig(name=name, depth=2, width=4))
    run_id = server.submit(RunConfig(arms=arms, trials=2, steps=3))
    until(lambda: server.service.live(run_id).over)
    one = pd.read_csv(io.StringIO(server.client.get(f"/runs/{run_id}/curves.csv").text))
    other = pd.read_parquet(io.BytesIO(server.client.get(f"/runs/{run_id}/curves.parquet").content))
    assert list(one["arm"].unique()) == ["plain", f"'{name}"]
    assert list(other["arm"].unique()) == ["plain", name]


def test_tables_are_there_while_the_run_runs_and_before(make_server, config, until):
    server = make_server(max_workers=1)
    running, queued = (server.submit(config("slow", steps=500, seed=seed)) for seed in range(2))
    until(lambda: server.service.journal(running).frame_count > 3)
    assert len(pd.read_csv(io.StringIO(server.client.get(f"/runs/{running}/curves.csv").text))) >= 4 * 2
    empty = pd.read_csv(io.StringIO(server.client.get(f"/runs/{queued}/curves.csv").text))
    assert len(empty) == 0
    assert "train_loss" in empty.columns


def test_a_table_too_large_for_the_web_process_is_refused(server, config, until, monkeypatch):
    run_id = server.submit(config(steps=3))
    until(lambda: server.service.live(run_id).over)
    rows = len(pd.read_csv(io.StringIO(server.client.get(f"/runs/{run_id}/histograms.csv").text)))
    monkeypatch.setattr(api, "MAX_EXPORT_ROWS", rows)
    assert server.client.get(f"/runs/{run_id}/histograms.csv").status_code == 200
    monkeypatch.setattr(api, "MAX_EXPORT_ROWS", rows - 1)
    answer = server.client.get(f"/runs/{run_id}/histograms.csv")
    assert answer.status_code == 413
    assert str(rows) in answer.json()["detail"]
    assert server.client.get(f"/runs/{run_id}/curves.csv").status_code == 200


def test_the_machine_readable_description_is_there(server):
    paths = server.client.get("/openapi.json").json()["paths"]
    assert {"/runs", "/runs/{run_id}", "/runs/{run_id}/stream", "/health"} <= set(paths)


def test_other_tables_and_formats_are_refused(server, config):
    run_id = server.submit(config())
    assert server.client.get(f"/runs/{run_id}/secrets.csv").status_code == 422
    assert server.client.get(f"/runs/{run_id}/curves.pickle").status_code == 422


def test_health(server, config):
    server.submit(config("slow", steps=500))
    body = server.client.get("/health").json()
    assert body["status"] == "ok"
    assert (body["workers_busy"], body["workers_max"], body["queued"]) == (1, 2, 0)
    assert body["uptime_seconds"] >= 0
    assert body["version"] != "unknown"


@pytest.mark.parametrize(("experiment", "said"), [("huge", "allowed are"), ("Bad-Name", "experiment")])
def test_a_study_that_does_not_exist_is_answered_with_what_there_is(server, experiment, said):
    body = {"experiment": experiment, "part": "losses", "settings": {}}
    answer = server.client.post("/runs", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"][0]["message"]


def test_a_run_has_no_table_of_a_study(server, config):
    run_id = server.submit(config())
    answer = server.client.get(f"/runs/{run_id}/measurements.csv")
    assert answer.status_code == 404
    assert "available: curves, layers, histograms" in answer.json()["detail"]
