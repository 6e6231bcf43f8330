"""One thread for torch while records are computed, as the page's workers have it, and the caller's own setting otherwise.

More threads are slower on networks of this size, many times so on a busy machine, and they round differently.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

Arguments = ParamSpec("Arguments")
Item = TypeVar("Item")


def on_one_thread(generate: Callable[Arguments, Iterator[Item]]) -> Callable[Arguments, Iterator[Item]]:
    """Let a generator compute on one thread: set for each of its steps and restored before the caller sees the item.

    So the caller's setting holds between two items, and an iterator that is left in the middle leaves nothing behind.
    """

    @wraps(generate)
    def generate_on_one_thread(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Iterator[Item]:
        items = generate(*args, **kwargs)
        while True:
            with _one_thread():
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    return generate_on_one_thread


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
