"""Text that came from a link or a visitor, for elements that read Markdown: shown as it is, never as a link or an image."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")
_JOINER = "\u2060"  # takes no room; keeps an address from becoming a link


def escaped(text: str) -> str:
    """Escape what Markdown, Streamlit's colour and icon marks, LaTeX and automatic links would take for theirs."""
    unlinked = text.replace("//", f"/{_JOINER}/").replace("www.", f"www{_JOINER}.").replace("@", f"@{_JOINER}")
    return _MARKS.sub(r"\\\1", unlinked)
