"""The ASGI application: the pages, the API and the assets on one port.

streamlit run app.py        or        uvicorn app:app
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.routing import BaseRoute, Mount

from bnviz.api import api, serving


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Start the run service with the server and end it with it."""
    async with serving(api):
        yield


def routes() -> list[BaseRoute]:
    """Ours, under Streamlit's base path where one is set."""
    ours: list[BaseRoute] = [Mount("/api", api)]
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [Mount(f"/{base}", routes=ours)] if base else ours


app = st.App("pages/index.py", routes=routes(), lifespan=lifespan)
