"""What the tests of the explore page do with it."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from bnviz.config.models import RunConfig
from bnviz.config.run_links import RUN_LINKS

OpenPage = Callable[..., AppTest]


def widget(app: AppTest, path: str) -> Any:
    return app.get_by_key(f"control:{path}")


def shown(app: AppTest) -> RunConfig:
    return app.session_state["shown"].config


def link_of(app: AppTest) -> RunConfig:
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    asked = RUN_LINKS.from_query(query)
    assert asked.notices == ()
    return asked.config


def unfold(app: AppTest, key: str) -> AppTest:
    """Open an expander that draws its content only then."""
    app.session_state[key] = True
    return app.run()


def press_run(app: AppTest) -> AppTest:
    return app.get_by_key("run").click().run()


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)
