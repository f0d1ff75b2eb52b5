"""Every SDK, each in an environment of its own, and what recost recorded of it; exits 1 on a difference.

python -m tests.integration.matrix                     all of them
python -m tests.integration.matrix openai stripe       these
python -m tests.integration.matrix --here openai       with the Python that runs this, nothing installed
python -m tests.integration.matrix --markdown          the table as the page has it
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from tests.integration.matrix.environments import NoEnvironmentError, make
from tests.integration.matrix.run import ORDERS, Outcome, run
from tests.integration.matrix.table import as_markdown, as_text, together
from tests.integration.sdks import SDKS, missing


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.integration.matrix", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SDKS)}; all, if none")
    parser.add_argument("--here", action="store_true", help="use the SDKs of the Python that runs this")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments")
    parser.add_argument(
        "--environments", type=Path, help="keeps the environments; a temporary folder, if none"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table for the page")
    arguments = parser.parse_args()
    arguments.names = arguments.names or [name for name in SDKS if not arguments.here or not missing(name)]
    for name in arguments.names:
        if name not in SDKS:
            parser.error(f"no such SDK: {name}")
    return arguments


@contextmanager
def _folder(given: Optional[Path]) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="recost-matrix-") as made:
        yield Path(made)


def _row(name: str, arguments: argparse.Namespace, environments: Path, runs: Path) -> Outcome:
    lacking = missing(name) if arguments.here else ""
    if lacking:
        return Outcome(name, differences=[f"not installed on this Python: {lacking}"])
    try:
        python = sys.executable if arguments.here else make(name, arguments.python, environments)
    except NoEnvironmentError as error:
        return Outcome(name, differences=[str(error)])
    return together([run(name, when, runs / f"{name}-{when}", python) for when in ORDERS])


def main() -> int:
    """Run, and print the table on stdout, progress and differences on stderr."""
    arguments = _arguments()
    rows = []
    with _folder(arguments.environments) as environments, tempfile.TemporaryDirectory() as runs:
        for name in arguments.names:
            print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
            row = _row(name, arguments, environments, Path(runs))
            print(f"{row.recorded} of {row.served}" if row.served else "not run", file=sys.stderr)
            for difference in row.differences:
                print(f"    {difference}", file=sys.stderr)
            rows.append(row)
    print(as_markdown(rows) if arguments.markdown else as_text(rows))
    return int(any(row.differences for row in rows))


if __name__ == "__main__":
    sys.exit(main())
