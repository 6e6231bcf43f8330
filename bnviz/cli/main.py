"""The command line: run a configuration without the page and keep its tables.

    bnviz run (--preset NAME | --config FILE) [--set arms.0.lr=0.1 ...] --out DIR
    bnviz presets
    bnviz claims --out DIR [--only ID ...]

Exit codes: 0 done, 1 the run could not be done, 2 bad input (one line on stderr says which), 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pydantic import ValidationError
from tqdm import tqdm

from bnviz.config.ceilings import CostTooHigh, check_cost
from bnviz.config.models import RunConfig
from bnviz.config.overrides import OverrideError, apply_overrides
from bnviz.config.presets import PRESETS
from bnviz.config.problems import one_line, problems
from bnviz.experiments.board import claims

if TYPE_CHECKING:
    from bnviz.runs.recording import Trace

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
FILES = ("config.json", "curves.parquet", "layers.parquet", "histograms.parquet", "summary.json")


class BadInput(ValueError):
    """What the user of the command line has to change; the text is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} (see: {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        options = _parser().parse_args(arguments)
        return options.command(options)
    except BadInput as error:
        return _fail(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _fail(message: str, code: int) -> int:
    print(f"bnviz: {message}", file=sys.stderr)
    return code


def _parser() -> _Parser:
    parser = _Parser(prog="bnviz", description="Train matched twins with and without batch norm, and keep what was measured.")
    commands = parser.add_subparsers(required=True, metavar="run | presets | claims")
    run = commands.add_parser("run", help="run a configuration and write its tables")
    source = run.add_mutually_exclusive_group(required=True)
    source.add_argument("--preset", metavar="NAME", help="start from a preset: " + ", ".join(PRESETS))
    source.add_argument(
        "--config", metavar="FILE", type=Path, help="start from a JSON file, such as the config.json of another run"
    )
    run.add_argument(
        "--set",
        metavar="KEY=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="change a field: steps=500, arms.0.lr=0.1, or 'arms.*.lr=0.1' for all arms",
    )
    run.add_argument("--out", metavar="DIR", type=Path, required=True, help="where to write: " + ", ".join(FILES))
    run.add_argument("--force", action="store_true", help="overwrite the files of an earlier run in DIR")
    run.add_argument("--any-cost", action="store_true", help="allow runs that cost more than the app allows")
    run.set_defaults(command=_run)
    commands.add_parser("presets", help="list the presets").set_defaults(command=_presets)
    board = commands.add_parser("claims", help="test what the sources claim about batch norm and write the claims board")
    board.add_argument("--out", metavar="DIR", type=Path, required=True, help="where to write: " + ", ".join(claims.FILES))
    board.add_argument(
        "--only", metavar="ID", nargs="+", action="extend", default=[], help="test only these claims; the others on a board stay"
    )
    board.set_defaults(command=_claims)
    return parser


def _presets(options: argparse.Namespace) -> int:
    width = max(map(len, PRESETS))
    for name, preset in PRESETS.items():
        print(f"{name:<{width}}  {preset.title}: {preset.sentence}")
    return 0


def _claims(options: argparse.Namespace) -> int:
    chosen = _chosen_claims(options.only)
    _make_directory(options.out)
    with tqdm(total=len(chosen), unit="claim", file=sys.stderr) as bar:

        def tell(row: claims.Row) -> None:
            bar.write(f"{claims.ICONS[row.judgement]} {row.id}: {row.judgement}; {row.measured}", file=sys.stderr)
            bar.update()

        board = claims.compute(chosen, tell)
    board = claims.merged(claims.read(options.out), board) if options.only else board
    claims.write(board, options.out)
    print(f"{claims.summary(board)}.")
    print(f"Wrote {', '.join(claims.FILES)} to {options.out}")
    return FAILED if any(row.judgement == claims.NOT_MEASURED for row in board.rows) else 0


def _chosen_claims(only: Sequence[str]) -> list[claims.Stated]:
    """Those named, or all."""
    stated = claims.stated()
    unknown = sorted(set(only) - {each.claim.id for each in stated})
    if unknown:
        raise BadInput(f"--only: received {one_line(unknown[0])}; allowed: {', '.join(each.claim.id for each in stated)}")
    return [each for each in stated if not only or each.claim.id in only]


def _run(options: argparse.Namespace) -> int:
    config = _configuration(options)
    _check_directory(options.out, options.force)
    from bnviz.datasets import DatasetUnavailable  # imported late: torch takes seconds, and bad input is told at once
    from bnviz.runs.recording import Trace

    trace = Trace(config)
    try:
        _record(trace)
    except DatasetUnavailable as error:
        return _fail(" ".join(str(error).split()), FAILED)
    except KeyboardInterrupt:
        if not trace.records[:-1]:
            return _fail("interrupted before anything was measured", INTERRUPTED)
        trace.write(options.out)
        step = trace.summary["step"]
        return _fail(f"interrupted at step {step} of {config.steps}; what was measured is in {options.out}", INTERRUPTED)
    trace.write(options.out)
    print(trace.summary["verdict"])
    print(f"Wrote {', '.join(FILES)} to {options.out}")
    return 0


def _record(trace: "Trace") -> None:
    from bnviz.runs.recording import fill

    with tqdm(total=trace.config.steps, unit="step", file=sys.stderr, desc=trace.config.run_id) as bar:
        fill(trace, lambda measured: bar.update(measured.step - bar.n))


def _configuration(options: argparse.Namespace) -> RunConfig:
    base = _preset(options.preset) if options.preset is not None else _file(options.config)
    try:
        config = RunConfig.model_validate(apply_overrides(base.model_dump(), map(_pair, options.set)))
        if not options.any_cost:
            check_cost(config)
    except ValidationError as error:
        raise BadInput(_told(error)) from None
    except (OverrideError, CostTooHigh) as error:
        raise BadInput(str(error)) from None
    return config


def _told(error: ValidationError) -> str:
    return " | ".join(problem.message for problem in problems(error))


def _preset(name: str) -> RunConfig:
    if name not in PRESETS:
        raise BadInput(f"--preset: received {one_line(name)}; allowed: {', '.join(PRESETS)}")
    return PRESETS[name].config


def _file(path: Path) -> RunConfig:
    try:
        return RunConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"--config: cannot read {_shown(path)}: {error.strerror}") from None
    except ValidationError as error:
        raise BadInput(f"{_shown(path)}: {_told(error)}") from None


def _shown(path: Path) -> str:
    """A path in full, on one line."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"--set: received {one_line(text)}; allowed: KEY=VALUE, as in arms.0.lr=0.1")
    return key.strip(), value.strip()


def _make_directory(directory: Path) -> None:
    """Refuse before the training, not after it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out: cannot write to {_shown(directory)}: {error.strerror}") from None
    if not os.access(directory, os.W_OK):
        raise BadInput(f"--out: cannot write to {_shown(directory)}")


def _check_directory(directory: Path, force: bool) -> None:
    _make_directory(directory)
    taken = [name for name in FILES if (directory / name).exists()]
    if taken and not force:
        raise BadInput(f"--out: {_shown(directory)} already holds a run ({taken[0]}); name another folder, or add --force")
