"""The assets: compressed, immutable, and announced in the page's head."""

import asyncio
import gzip

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bnviz.web import static

DOCUMENT = {"sec_fetch_dest": "document"}


def get(path: str, **headers: str) -> httpx.Response:
    """What our routes, before those of Streamlit, answer."""

    async def ask() -> httpx.Response:
        others = Route("/{path:path}", lambda request: PlainTextResponse("streamlit's own"))
        transport = httpx.ASGITransport(Starlette(routes=[*static.routes(), others]))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return asyncio.run(ask())


def test_plotly_comes_from_the_installed_package_and_is_cached_for_good():
    answer = get("/" + static.asset_url("plotly.min.js"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert "plotly.js v" in answer.text[:300]


def test_a_client_without_gzip_gets_the_file_itself():
    answer = get("/" + static.asset_url("live_panel/index.js"), accept_encoding="identity")
    assert "content-encoding" not in answer.headers
    assert answer.content == (static.PANEL_FOLDER / "index.js").read_bytes()
    assert "javascript" in answer.headers["content-type"]


def test_unknown_assets_are_not_found():
    for name in ("live_panel/none.js", "app.py", "live_panel/%2e%2e/%2e%2e/app.py", "live_panel/"):
        assert get(f"/{static.PREFIX}/x/{name}").status_code == 404


def test_nothing_is_kept_of_unknown_names():
    static._bodies("plotly.min.js")  # which `routes` fetches in a thread
    sizes = [cached.cache_info().currsize for cached in (static._bodies, static._files)]
    request = Request({"type": "http", "headers": [], "path_params": {}})
    for i in range(1000):
        request.path_params["name"] = f"live_panel/{i}.js"
        assert asyncio.run(static._serve(request)).status_code == 404
    assert [cached.cache_info().currsize for cached in (static._bodies, static._files)] == sizes


def test_pages_start_the_downloads_at_once():
    for path in ("/", "/explore"):
        answer = get(path, **DOCUMENT)
        assert static.asset_url("plotly.min.js") in answer.text
        assert static.asset_url("live_panel/panel.js") in answer.text
        assert "<title>Streamlit</title>" in answer.text
        assert answer.headers["cache-control"] == "no-cache"


def test_pages_over_plain_http_do_so_too():
    assert static.asset_url("plotly.min.js") in get("/", accept="text/html,*/*").text


def test_other_requests_are_left_to_streamlit():
    assert get("/").text == "streamlit's own"
    for path in ("/_stcore/health", "/static/js/index.js", "/media/x", "/api/health", "/explore/", "/favicon.png"):
        assert get(path, **DOCUMENT).text == "streamlit's own"


def test_every_module_that_is_imported_is_served():
    served = set(static._files())
    for path in static.PANEL_FOLDER.glob("*.js"):
        for line in path.read_text().splitlines():
            if line.startswith(("import ", "} from ")) and " from " in line:
                assert f"live_panel/{line.split('/')[-1].split(chr(34))[0]}" in served


def test_only_what_runs_in_the_browser_is_served():
    served = [name for name in static._files() if name != "plotly.min.js"]
    assert "live_panel/index.js" in served
    assert all(name.count("/") == 1 and name.endswith((".js", ".css")) and ".test." not in name for name in served)
    for name in ("test/samples.js", "test/store.test.js", "protocol.d.ts", "tsconfig.json"):
        assert (static.PANEL_FOLDER / name).exists()
        assert get("/" + static.asset_url(f"live_panel/{name}")).status_code == 404


def test_compressed_bodies_are_the_files():
    for name, path in static._files().items():
        plain, compressed = static._bodies(name)
        assert gzip.decompress(compressed) == plain == path.read_bytes()
