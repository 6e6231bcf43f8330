"""The ASGI application: the pages, the API and the assets on one port.

streamlit run app.py        or        uvicorn app:app
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope

from bnviz.runs.service import get_service
from bnviz.runs.settings import BadSetting
from bnviz.web import static
from bnviz.web.api import api, serving


class Under(Mount):
    """Our routes under a base path; what none of them takes goes on to Streamlit's, which a `Mount` would end with 404."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match only where one of the routes does."""
        match, child = super().matches(scope)
        inner = {**scope, **child}
        ours = match is Match.FULL and any(route.matches(inner)[0] is Match.FULL for route in self.routes)
        return (match, child) if ours else (Match.NONE, {})


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Start the run service with the server and end it with it."""
    async with serving(api):
        yield


def routes() -> list[BaseRoute]:
    """Ours, under Streamlit's base path where one is set."""
    ours: list[BaseRoute] = [Mount("/api", api), *static.routes()]
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [Under(f"/{base}", routes=ours)] if base else ours


try:
    get_service()
except BadSetting as error:
    sys.exit(f"bnviz: {error}")
app = st.App("pages/index.py", routes=routes(), lifespan=lifespan)
