"""The data sets: what each holds and where it is from. The functions that make or read them are in `bnviz/datasets`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bnviz.registry.declared import Entry, declared


@dataclass(frozen=True, kw_only=True)
class DatasetEntry(Entry):
    """Stands above the function that draws or reads a data set.

    Without `rows` the function draws as many samples as it is asked for, `draw(size, config, rng) -> Table`, for the training
    set and for the test set; with `rows` it reads them all, `read() -> Table`, and they are split at random.
    The first paragraph of its docstring is the description that people read.

    Args:
        label: as the page shows it.
        source: where it is from.
        kind: plane: points that can be drawn with the decision boundary; image: square, one channel, row by row; table: else.
        classes: of the labels, which are 0 .. classes - 1.
        features: of a sample; None: as many as the configuration asks for.
        rows: of all samples; None: as many as are asked for.
        held_out: rows at the end that are for tests only, as the authors divided them; 0: any row may be either.
        split: (training, test) samples of a run that asks for no other numbers.
        noisy: whether it follows `DatasetConfig.noise`.
        download: whether it has to be fetched before its first use.
    """

    label: str
    source: str
    kind: Literal["plane", "image", "table"]
    classes: int
    features: int | None
    rows: int | None = None
    held_out: int = 0
    split: tuple[int, int] = (1000, 200)
    noisy: bool = False
    download: bool = False

    @property
    def choice(self) -> str:
        """The label with what one should know before choosing it."""
        return f"{self.label} (download)" if self.download else self.label

    def most_train(self) -> int | None:
        """Training samples that there are, one row being left for the test; None: as many as one likes."""
        return self.rows and self.rows - (self.held_out or 1)

    def most_test(self, train: int) -> int | None:
        """Test samples that there are beside so many training samples; None: as many as one likes."""
        return self.rows and (self.held_out or self.rows - train)


DATASETS = declared(DatasetEntry, "bnviz.datasets")
PLANE_DATASETS = tuple(name for name, entry in DATASETS.items() if entry.kind == "plane")
IMAGE_DATASETS = tuple(name for name, entry in DATASETS.items() if entry.kind == "image")
ANY_FEATURES = tuple(name for name, entry in DATASETS.items() if entry.features is None)  # as many as one asks for
MOST_CLASSES = max(entry.classes for entry in DATASETS.values())
if TYPE_CHECKING:
    DatasetName = str
else:
    DatasetName = Literal[tuple(DATASETS)]
