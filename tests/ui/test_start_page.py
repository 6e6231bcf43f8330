"""Start here: seven steps that lead somewhere, and progress that is kept."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from bnviz.experiments.board.catalog import catalog
from bnviz.ui.start import Link, StartError, parse, unnamed, way

OTHER_PAGES = {"explore", "claims"}


def test_seven_steps_of_about_twenty_minutes() -> None:
    found = way()
    assert len(found.steps) == 7
    assert 18 <= sum(step.minutes for step in found.steps) <= 23
    assert all(step.task and step.look_at for step in found.steps)


def all_links() -> list[Link]:
    return [link for step in (*way().steps, way().more) for link in step.links]


@pytest.mark.parametrize("link", all_links(), ids=lambda link: link.address)
def test_every_link_leads_to_a_part_that_there_is(link: Link) -> None:
    if link.page in OTHER_PAGES:
        assert not link.query
        return
    query = dict(link.query)
    part = query.pop("part", None)
    experiment = catalog()[link.page]
    assert part is None or part in {each.id for each in experiment.parts}
    assert not query


def test_every_page_is_on_the_way() -> None:
    titles = {name: SimpleNamespace(title=name.upper()) for name in (*catalog(), *OTHER_PAGES, "new")}
    rest = unnamed(way(), titles)
    assert {link.page for link in (*all_links(), *rest)} == set(titles)
    assert Link("NEW", "new", ()) in rest
    assert not {link.page for link in all_links()} & {link.page for link in rest}


def test_a_link_is_read_from_its_address() -> None:
    one = "## One\n- minutes: 2\n- pages: [A](/a?part=b&lr=0.1), [C](/c)\n- do: x\n- look at: y\n"
    text = f"# T\n\nO.\n\n{one}\n## More\n- pages: [D](/d)\n- do: z\n"
    found = parse(text)
    assert [link.address for link in found.steps[0].links] == ["/a?part=b&lr=0.1", "/c"]
    assert (found.title, found.opening, found.more.task) == ("T", "O.", "z")


@pytest.mark.parametrize(
    "text", ["# T\n", "# T\n\n## One\n- minutes: 2\n- do: x\n", "# T\n\n## One\n- minutes: 2\n- pages: [A](/a)\n- do: x\n"]
)
def test_a_path_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(StartError):
        parse(text)


def page() -> None:
    import streamlit as st

    from bnviz.ui import start

    start.draw({"explore": st.Page(lambda: None, url_path="explore", title="Explore")})


def test_progress_is_kept_and_the_next_step_is_marked() -> None:
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert next(element.value for element in app.markdown if "[next]" in element.value).startswith("#### 1. ")
    app.checkbox(key="start:done:0").check().run()
    app.checkbox(key="start:done:2").check().run()
    assert next(element.value for element in app.markdown if "[next]" in element.value).startswith("#### 2. ")
    app.run()
    assert app.checkbox(key="start:done:2").value
    for i in range(7):
        app.checkbox(key=f"start:done:{i}").check()
    app.run()
    assert not any("[next]" in element.value for element in app.markdown)


def standing(app: AppTest) -> str:
    return app.get("progress")[0].proto.text


def test_what_is_left_is_said() -> None:
    app = AppTest.from_function(page).run()
    total, first = sum(step.minutes for step in way().steps), way().steps[0].minutes
    assert standing(app) == f"0 of 7 steps done, about {total} minutes left"
    app.checkbox(key="start:done:0").check().run()
    assert standing(app) == f"1 of 7 steps done, about {total - first} minutes left"


def test_the_whole_glossary_is_at_hand() -> None:
    app = AppTest.from_function(page).run()
    assert [box.label for box in app.expander] == ["All words and symbols"]
