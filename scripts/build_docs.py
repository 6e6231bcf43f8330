"""Write the pages of docs/ that come from the code: configuration.md, presets.md, norms.md, measurements.md, all-experiments.md.

python scripts/build_docs.py           write them
python scripts/build_docs.py --check   exit with 1 when one is not what would be written
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType

sys.path.insert(0, str(Path(__file__).parents[1]))

from pydantic import BaseModel

from bnviz.config.fields import FieldView, fields_of
from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig
from bnviz.config.presets import PRESETS
from bnviz.config.problems import allowed
from bnviz.experiments.board.catalog import catalog
from bnviz.experiments.kit.base import Experiment, Part
from bnviz.registry.activations import ACTIVATIONS
from bnviz.registry.datasets import DATASETS
from bnviz.registry.measures import AXES, COSTS, MEASURES, MeasureEntry
from bnviz.registry.norms import NORMS as ALL_NORMS
from bnviz.registry.norms import NormEntry
from bnviz.registry.optimizers import OPTIMIZERS

DOCS = Path(__file__).parents[1] / "docs"
NOTICE = "<!-- Written by scripts/build_docs.py from the code; `make docs` writes it again. -->\n"
SECTIONS: tuple[tuple[type[BaseModel], str, str], ...] = (
    (RunConfig, "Run", ""),
    (DatasetConfig, "Data set", "dataset."),
    (ArmConfig, "Arm", "arms.N."),
    (PerTrial, "Values per trial", "arms.N.per_trial."),
)
CONFIGURATION = """# Configuration

A run is described completely by one frozen `bnviz.RunConfig`; its seed is part of it, so the same configuration gives the
same numbers on the page, in the API, in Python and on the command line. `RunConfig.run_id` names it.

The dotted keys below are those of `--set` on the command line (`--set arms.0.lr=0.1 steps=500`) and of the page's
link. `N` counts the arms from 0; `*` in its place stands for all arms (`--set 'arms.*.lr=0.1'`).
In JSON they are nested objects: `{"steps": 500, "arms": [{"norm": "batch"}]}`.
What is left out takes its default. A value that is not allowed is refused with its key, what was received and what is allowed.
"""


def configuration() -> str:
    """The text of docs/configuration.md."""
    parts = [NOTICE, CONFIGURATION]
    for model, title, prefix in SECTIONS:
        parts.append(f"\n## {title}\n\n{(model.__doc__ or '').strip()}\n\n| key | allowed | default | |\n|---|---|---|---|\n")
        parts += [_row(prefix + name, view) for name, view in fields_of(model).items()]
    return "".join([*parts, *_datasets(), *_activations(), *_optimizers()])


def _datasets() -> Iterator[str]:
    """What the entries say of the data sets."""
    yield "\n## Data sets\n\n| `dataset.name` | | samples | features | classes | split | from |\n" + 7 * "|---" + "|\n"
    for data in DATASETS.values():
        told = f"**{data.choice}.** {data.sentence}"
        numbers = f"{data.rows or 'any number'} | {data.features or 'any number'} | {data.classes}"
        yield f"| `{data.name}` | {told} | {numbers} | {data.split[0]} + {data.split[1]} | {data.source} |\n"


def _activations() -> Iterator[str]:
    """What the entries say of the activations."""
    yield "\n## Activations\n\n| `arms.N.activation` | | of z | saturated | units may be dead |\n" + 5 * "|---" + "|\n"
    for each in ACTIVATIONS.values():
        saturated = "below {:g} or above {:g}".format(*each.linear_range) if each.linear_range else "never"
        told = f"**{each.label}.** {each.sentence}"
        yield f"| `{each.name}` | {told} | {each.formula} | {saturated} | {'yes' if each.dies else 'no'} |\n"


def _optimizers() -> Iterator[str]:
    """What the entries say of the optimizers."""
    yield "\n## Optimizers\n\ng is the gradient, that of the L2 penalty included.\n\n"
    yield "| `arms.N.optimizer` | | step | reads the momentum | from |\n" + 5 * "|---" + "|\n"
    for each in OPTIMIZERS.values():
        momentum = "yes" if each.momentum else "no"
        yield f"| `{each.name}` | **{each.label}** | {each.formula} | {momentum} | {each.source} |\n"


def _row(key: str, view: FieldView) -> str:
    values = _section_link(view) if view.owner else allowed(view)
    return f"| `{key}` | {values} | {_default(view)} | {view.description} |\n"


def _section_link(view: FieldView) -> str:
    title = next(title for model, title, _ in SECTIONS if model is view.owner)
    link = f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    return f"{allowed(view)}, each an {link}" if view.kind == "list" else f"a {link}"


def _default(view: FieldView) -> str:
    value = view.default
    if view.kind == "model":
        return "its defaults"
    if isinstance(value, tuple) and value:
        return ", ".join(f"norm `{arm.norm}`" for arm in value)
    if isinstance(value, NoneType | tuple) or value == "":
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def presets() -> str:
    """The text of docs/presets.md."""
    parts = [NOTICE, "# Presets\n\n"]
    parts.append("Where to start. Each is a full [configuration](configuration.md); every field stays free.\n")
    for name, preset in PRESETS.items():
        parts.append(f"\n## {name}\n\n**{preset.title}.** {preset.sentence}\n\nWhat to watch: {preset.what_to_see}\n\n")
        parts += [f"- {what}: {_differences(model)}\n" for what, model in _parts(preset.config)]
        parts.append(f"\n`bnviz run --preset {name} --out build/{name}`\n")
    return "".join(parts)


def _parts(config: RunConfig) -> list[tuple[str, BaseModel]]:
    arms = zip(config.arm_labels, config.arms, strict=True)
    return [("Run", config), ("Data set", config.dataset), *((f"Arm {label}", arm) for label, arm in arms)]


def _differences(model: BaseModel) -> str:
    """The fields that are not at their default and are set as a whole."""
    default = type(model)()
    changed = {name: getattr(model, name) for name in type(model).model_fields if getattr(model, name) != getattr(default, name)}
    told = [f"`{name}={_text(value)}`" for name, value in changed.items() if not fields_of(type(model))[name].owner]
    return ", ".join(told) or "the defaults"


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


NORMS = """# Normalizations

What an arm's `norm` may be. y is what the norm is given: the output of a linear map, or of the activation where
`norm_placement` is `after_activation`. `eps` is `norm_eps`; gamma and beta are learned. "Offered" says whether it is under
"Compare" on the front page; links, the API, Python and the command line take all of them.
To add one: [CONTRIBUTING.md](../CONTRIBUTING.md).

| name | label | what it makes of y | parameters | running statistics | offered | source |
|---|---|---|---|---|---|---|
"""


def normalizations() -> str:
    """The text of docs/norms.md."""
    return "".join([NOTICE, NORMS, *map(_norm, ALL_NORMS.values())])


def _norm(entry: NormEntry) -> str:
    _, _, sources = entry.doc.partition("References:")
    linked = re.sub(r"arXiv:(\d+\.\d+)", r"[\g<0>](https://arxiv.org/abs/\1)", _cell(sources))
    answers = ("yes" if which else "no" for which in (entry.keeps_statistics, entry.in_compare))
    formula = entry.formula.replace("|", "\\|")
    cells = (f"`{entry.name}`", entry.label, formula, ", ".join(entry.affine) or "none", *answers, linked)
    return f"| {' | '.join(cells)} |\n"


LIST = """# All experiments

Every experiment with its parts, as on the pages. What they are made of, and how to add one: [experiments.md](experiments.md).
"""


BLOCK = re.compile(r"(<!-- written from the code: (.*?) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def measurements() -> str:
    """The text of docs/measurements.md: its prose as it stands there, its tables from what the measurements declare."""
    return BLOCK.sub(lambda block: block[1] + "".join(_table(block[2])), (DOCS / "measurements.md").read_text("utf-8"))


def _table(name: str) -> Iterator[str]:
    """The rows of one of the page's tables: "axes", "costs", or results by their table and, where it is named, their cost."""
    if name in ("axes", "costs"):
        yield f"| {name} | |\n|---|---|\n"
        yield from (f"| {word} | {meaning} |\n" for word, meaning in (AXES if name == "axes" else COSTS).items())
        return
    table, _, cost = name.partition(", ")
    yield "| result | asked for by | definition | unit | axes | cost | caveat, source |\n" + 7 * "|---" + "|\n"
    for entry in MEASURES.values():
        if entry.table == table and cost in ("", entry.cost):
            yield from _results(entry)


def _results(entry: MeasureEntry) -> Iterator[str]:
    told = ". ".join(text[0].upper() + text[1:] for text in (entry.caveat, entry.source) if text)
    linked = re.sub(r"arXiv:(\d+\.\d+)", r"[\g<0>](https://arxiv.org/abs/\1)", _cell(told))
    for name, result in entry.results.items():
        definition = _cell(result["definition"]).replace("|", "\\|")
        cells = (f"`{name}`", f"`{entry.name}`", definition, result["unit"], ", ".join(result["axes"]), entry.cost, linked)
        yield f"| {' | '.join(cells)} |\n"
        linked = ""


def experiments() -> str:
    """The text of docs/all-experiments.md."""
    return "".join([NOTICE, LIST, *map(_experiment, catalog().values())])


def _experiment(experiment: Experiment) -> str:
    return f"\n## {experiment.number}. {experiment.title} (`{experiment.id}`)\n" + "".join(
        map(_part_of_experiment, experiment.parts)
    )


def _part_of_experiment(part: Part) -> str:
    answers = "; ".join(f"`{choice.key}` {_cell(choice.text)}" for choice in part.choices)
    named = ", ".join(f"`{preset.name}`" for preset in part.presets)
    sources = "; ".join(f"[{source.text}]({source.url})" for source in part.references)
    lines = [f"\n**{_cell(part.title)}** (`{part.id}`): {_cell(part.question)}\n", f"- Answers: {answers}", f"- Presets: {named}"]
    lines.append(f"- Settings: {', '.join(f'`{name}`' for name in fields_of(part.settings)) or 'none'}")
    lines += [f"- Claim `{claim.id}`, preset `{claim.preset}`: {_cell(claim.text)}" for claim in part.claims]
    return "\n".join([*lines, f"- Sources: {sources}", ""])


def _cell(text: str) -> str:
    """Text on one line that is not read as HTML."""
    return " ".join(text.split()).replace("<", "&lt;")


PAGES = {
    "configuration.md": configuration,
    "presets.md": presets,
    "norms.md": normalizations,
    "measurements.md": measurements,
    "all-experiments.md": experiments,
}


def main() -> int:
    """Write the pages, or with --check only compare them."""
    stale = [name for name, text in PAGES.items() if not (DOCS / name).exists() or (DOCS / name).read_text("utf-8") != text()]
    if "--check" in sys.argv[1:]:
        print("\n".join(f"docs/{name} is not current: run make docs" for name in stale) or "docs/ is current")
        return bool(stale)
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), "utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
