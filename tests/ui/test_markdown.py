"""Text from links is shown as it is."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bnviz.ui.markdown import escaped


def read_back(text: str) -> str:
    """What a Markdown reader shows of escaped text, without the joiners."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).replace("\u2060", "")


@given(st.text(st.sampled_from("ab \\`*_{}[]()#+-.!|<>~$:&^=/@wh"), max_size=40))
def test_every_mark_is_escaped_and_the_text_is_kept(text: str) -> None:
    shown = escaped(text)
    assert read_back(shown) == text
    assert not re.search(r"(?<!\\)(\\\\)*[*_`\[\]<>$:~#|]", shown)
    assert "//" not in shown


def test_addresses_do_not_become_links() -> None:
    for address in ("http://evil.example", "www.evil.example", "me@evil.example"):
        assert address not in escaped(address).replace("\\", "")
