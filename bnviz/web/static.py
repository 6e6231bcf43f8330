"""The files that the browser needs from us, compressed once, under addresses that change with their content.

plotly.js comes from the installed package: no CDN (classrooms are offline), nothing vendored.

    /bnviz-assets/<hash>/plotly.min.js    a year in the browser's cache
    /bnviz-assets/<hash>/live_panel/*     modules and style of the live panel
    page requests                         Streamlit's index.html plus links that start these downloads at once
"""

import gzip
import hashlib
import mimetypes
import re
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

PREFIX = "bnviz-assets"
PANEL_FOLDER = Path(__file__).parents[2] / "assets" / "live_panel"
RESERVED = ("/_stcore", "/api", "/media", "/component", "/static", "/app/static", f"/{PREFIX}")
PAGE_PATH = re.compile(r"(/[^./]+)+")  # no file, no folder: Streamlit redirects those
START_PLOTLY = """(() => {
  const connected = () => document.querySelector("[data-test-connection-state=CONNECTED]");
  const watch = new MutationObserver(() => {
    if (!connected()) return;
    watch.disconnect();
    const script = document.createElement("script");
    const ended = () => window.Plotly || script.remove(); // so that the panel asks anew for what did not come
    Object.assign(script, { src: "URL", async: true, onload: ended, onerror: ended }).dataset.bnvPlotly = "";
    document.head.append(script);
  });
  watch.observe(document, { subtree: true, childList: true, attributeFilter: ["data-test-connection-state"] });
})();"""  # run plotly.js while the server runs the page: not before, when it would delay Streamlit's own start
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}


def routes() -> list[BaseRoute]:
    """Routes for `st.App`: the assets, and page requests answered with Streamlit's index.html plus preload links."""
    threading.Thread(target=_bodies, args=("plotly.min.js",), daemon=True).start()  # compressed before it is asked for
    return [Route(f"/{PREFIX}/{{version}}/{{name:path}}", _serve), PageRoute()]


def asset_url(name: str) -> str:
    """Address of `plotly.min.js` or `live_panel/<file>`, relative to the app's base path."""
    return f"{PREFIX}/{_version()}/{name}"


class PageRoute(BaseRoute):
    """Answers a browser's page navigation; everything else goes on to Streamlit's own routes.

    Streamlit's page loads its own scripts first and learns of ours a second later. Links in the page's head let
    the browser fetch plotly.js in the meantime. If Streamlit's index.html is not where we expect it, nothing matches.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Only GET requests of a document, at an address that is no file's and none of Streamlit's."""
        if scope["type"] != "http" or scope["method"] != "GET" or _page() is None:
            return Match.NONE, {}
        path = scope["path"].removeprefix(scope.get("root_path", ""))  # without the base path, if there is one
        is_page = path == "/" or bool(PAGE_PATH.fullmatch(path) and not path.startswith(RESERVED))
        headers = dict(scope["headers"])
        destination = headers.get(b"sec-fetch-dest", b"")  # browsers leave it out on plain http, but for localhost
        is_navigation = destination == b"document" or (not destination and b"text/html" in headers.get(b"accept", b""))
        return (Match.FULL, {}) if is_page and is_navigation else (Match.NONE, {})

    def url_path_for(self, name: str, /, **path_params: Any):
        """Never asked for: pages have no names here."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page."""
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        response = _answer(Request(scope), _page() or (b"", b""), "text/html", headers)
        await response(scope, receive, send)


async def _serve(request: Request) -> Response:
    """One asset; 404 for names that we do not serve."""
    name = request.path_params["name"]
    if name not in _files():
        return Response("not found", 404, media_type="text/plain")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _answer(request, _bodies(name), media_type, HEADERS)


def _answer(request: Request, bodies: tuple[bytes, bytes], media_type: str, headers: dict[str, str]) -> Response:
    plain, compressed = bodies
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(compressed, media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(plain, media_type=media_type, headers=headers)


@cache
def _files() -> dict[str, Path]:
    """Every file that is served, by its name."""
    found = {f"live_panel/{path.name}": path for path in sorted(PANEL_FOLDER.iterdir()) if path.suffix in (".js", ".css")}
    plotly = find_spec("plotly")
    if plotly is None or plotly.origin is None:
        raise ModuleNotFoundError("plotly is not installed: the charts need its plotly.min.js")
    return found | {"plotly.min.js": Path(plotly.origin).parent / "package_data" / "plotly.min.js"}


@cache
def _version() -> str:
    """Hash of all files: one address for one state of them."""
    digest = hashlib.sha256()
    for name, path in _files().items():
        digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _bodies(name: str) -> tuple[bytes, bytes]:
    """A file as it is and compressed; asked for names of `_files` only, since whatever is asked for is kept."""
    body = _files()[name].read_bytes()
    return body, gzip.compress(body, 6, mtime=0)


@cache
def _page() -> tuple[bytes, bytes] | None:
    """Streamlit's index.html with our links in its head, as it is and compressed."""
    streamlit = find_spec("streamlit")
    index = Path(streamlit.origin or "").parent / "static" / "index.html" if streamlit else Path()
    if not index.is_file():
        return None
    page = index.read_text(encoding="utf-8")
    modules = [name for name in _files() if name.endswith(".js") and name.startswith("live_panel/")]
    links = [f'<link rel="modulepreload" href="./{asset_url(name)}">' for name in modules]
    links.append(f'<link rel="stylesheet" href="./{asset_url("live_panel/panel.css")}">')
    links.append(f'<link rel="preload" as="script" href="./{asset_url("plotly.min.js")}">')
    links.append(f"<script>{START_PLOTLY.replace('URL', './' + asset_url('plotly.min.js'))}</script>")
    body = page.replace("</head>", "".join(links) + "</head>", 1).encode()
    return body, gzip.compress(body, 6, mtime=0)
