"""``python -m tests.host_suites [--quick] [--keep FOLDER] [NAME[==VERSION] ...]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from tests.host_suites.environments import Environment, prepare, stage
from tests.host_suites.runs import Comparison, Run, compare, run
from tests.host_suites.suites import QUICKEST, SUITES, Suite

_COLUMNS = "{:<14} {:>9} {:>11} {:>13} {:>11} {:>10} {:>8} {:>9} {:>6} {:>8}"
_HEAD = (
    *("suite", "version", "passed bare", "under recost", "failed both", "different", "unsteady", "recorded"),
    *("errors", "seconds"),
)
_SHOWN = 40
_GARBAGE = (500, 600, 800, 900, 1000, 1100)
"""How many objects make the garbage collector run, in runs that look again at differences."""


@dataclass
class Result:
    """What there is to say about one suite."""

    suite: Suite
    version: str
    bare: list[Run] = field(default_factory=list)
    recorded: list[Run] = field(default_factory=list)
    trouble: Optional[str] = None

    @property
    def comparison(self) -> Comparison:
        """Of all the runs so far."""
        return compare(self.bare, self.recorded)

    @property
    def errors(self) -> list[str]:
        """Of all the runs so far."""
        return [error for run in (*self.bare, *self.recorded) for error in run.errors]

    @property
    def good(self) -> bool:
        """Nothing is different under recost, and nothing went wrong inside it."""
        return self.trouble is None and not self.errors and not self.comparison.different

    def row(self) -> str:
        """Return the line of the table."""
        if not self.suite.has_tests and self.trouble is None:
            return f"{self.suite.name:<14} {self.version:>9} the source distribution carries no tests"
        if self.trouble is not None:
            return f"{self.suite.name:<14} {self.version:>9} could not be prepared"
        compared = self.comparison
        cells = (
            *(self.suite.name, self.version, self.bare[0].passed, self.recorded[0].passed),
            *(len(compared.failed_both), len(compared.different), len(compared.unsteady)),
            *(self.recorded[0].recorded, len(self.errors), f"{self.bare[0].seconds:.0f}"),
        )
        return _COLUMNS.format(*cells)


def main() -> int:
    """Run the suites that are asked for, and print what came out."""
    arguments = _arguments()
    asked = dict(name.partition("==")[::2] for name in arguments.names)
    if not asked:
        asked = dict.fromkeys(QUICKEST if arguments.quick else [suite.name for suite in SUITES], "")
    unknown = asked.keys() - {suite.name for suite in SUITES}
    if unknown:
        print(f"no such suite: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = arguments.keep.absolute() if arguments.keep else scratch
        staged = stage(scratch / "staged")
        results = [
            _result(suite, asked[suite.name], folder, staged) for suite in SUITES if suite.name in asked
        ]
    print()
    print(_COLUMNS.format(*_HEAD))
    for result in results:
        print(result.row())
    return 0 if all(result.good for result in results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.host_suites", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME[==VERSION]", help="suites; all when none is named")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICKEST)}")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for environments, sources and logs")
    return parser.parse_args()


def _result(suite: Suite, version: str, folder: Path, staged: Path) -> Result:
    try:
        environment = prepare(suite, folder, version or None)
    except RuntimeError as error:
        print(f"{suite.name}: {error}", flush=True)
        return Result(suite, version or "?", trouble=str(error))
    result = Result(suite, environment.version)
    if not suite.has_tests:
        return result
    for recorded in (False, True, False):
        _add(result, environment, staged, recorded=recorded)
    for garbage in _GARBAGE:
        if result.comparison.different:
            _add(result, environment, staged, recorded=True, garbage=garbage)
            _add(result, environment, staged, recorded=False, garbage=garbage)
    _explain(result)
    return result


def _add(
    result: Result, environment: Environment, staged: Path, *, recorded: bool, garbage: Optional[int] = None
) -> None:
    runs = result.recorded if recorded else result.bare
    runs.append(run(result.suite, environment, staged, recorded=recorded, garbage=garbage))
    kind = f"{'under-recost' if recorded else 'bare'}-{len(runs)}"
    log = runs[-1].log
    (environment.sources.parent.parent / f"{kind}.log").write_text(log, encoding="utf-8")
    last = log.strip().rpartition("\n")[2]
    print(f"{result.suite.name} {result.version} {kind}: {last}", flush=True)


def _explain(result: Result) -> None:
    compared = result.comparison
    for title, found in (("different", compared.different), ("unsteady", compared.unsteady)):
        for name, seen in found.items():
            print(f"  {title}: {name}: {seen}")
            reasons = (run.reasons[name] for run in (*result.recorded, *result.bare) if name in run.reasons)
            if title == "different":
                print(next(reasons, "").rstrip())
    for name in compared.failed_both:
        print(f"  failed both: {name}")
    for error in result.errors[:_SHOWN]:
        print(f"  error: {error.rstrip()}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
