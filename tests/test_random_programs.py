"""Random programs see the same with recost as without, and each of their calls is recorded."""

from __future__ import annotations

import pytest

from tests.random_programs.compare import compare
from tests.random_programs.programs import program


@pytest.mark.slow
@pytest.mark.timeout(600)  # programs that are unsteady are run again and again
def test_programs_see_no_difference() -> None:
    result = compare(0, 200)
    assert not result.differences, "\n".join(result.differences)
    assert result.programs == 200
    assert result.calls == result.recorded > 500
    assert result.unsteady < 20


def test_a_number_gives_the_same_program_each_time() -> None:
    assert [program(seed) for seed in range(50)] == [program(seed) for seed in range(50)]
    assert len({program(seed).client for seed in range(200)}) >= 5
