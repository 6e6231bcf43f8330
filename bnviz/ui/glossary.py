"""The words of a page, explained."""


def words_on_this_page(text: str) -> None:
    """Explain the terms that occur in the text."""
