from __future__ import annotations

import pytest

from recost.cli._shared.parser import Parser


def parser() -> Parser:
    made = Parser(prog="x")
    made.add_argument("--sort", choices=("cost", "calls"))
    made.add_argument("--model")
    check = made.add_subparsers(dest="command").add_parser("check")
    check.add_argument("--method")
    check.add_argument("url")
    return made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sort", "csot"], "argument --sort: invalid value 'csot': did you mean 'cost'?"),
        (["--sort=COST"], "argument --sort: invalid value 'COST': did you mean 'cost'?"),
        (["--sort=z"], "argument --sort: invalid value 'z': expected one of cost, calls"),
        (["--modle=x"], "unknown option '--modle': did you mean '--model'?"),
        (["--zzz"], "unknown option '--zzz': expected one of --help, --sort, --model"),
        (["chekc"], "invalid value 'chekc': did you mean 'check'?"),
        (["check", "--methd=x", "u"], "unknown option '--methd': did you mean '--method'?"),
        (["check", "u", "extra"], "unexpected argument 'extra'"),
    ],
)
def test_what_was_meant_is_suggested(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"{message}\n")


def test_valid_arguments_are_parsed() -> None:
    found = parser().parse_args(["--sort", "cost", "--mod", "gpt", "check", "u"])
    assert (found.sort, found.model, found.command, found.url) == ("cost", "gpt", "check", "u")
