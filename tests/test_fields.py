"""`RecostConfig` is a dataclass, although no code is generated for it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
from typing import Any

import pytest

from recost import RecostConfig


def test_the_functions_of_dataclasses_take_it() -> None:
    config = RecostConfig(project_id="p", exclude_hosts=["a.test"])
    assert dataclasses.is_dataclass(RecostConfig)
    changed = dataclasses.replace(config, project_id="q")
    assert (changed.project_id, changed.exclude_hosts) == ("q", ["a.test"])
    assert dataclasses.asdict(config)["project_id"] == "p"
    first = dataclasses.fields(RecostConfig)[0]
    assert (first.name, first.type, first.default) == ("api_key", "Optional[str]", None)
    assert callable(first.metadata["check"])


def test_it_compares_and_pickles_by_value() -> None:
    config = RecostConfig(project_id="p")
    assert config == RecostConfig(None, "p")
    assert config != RecostConfig(project_id="q")
    assert config != object()
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(TypeError):
        hash(config)


@pytest.mark.parametrize(
    ("args", "kwargs", "told"),
    [
        ((None,) * 99, {}, "takes at most"),
        (("k",), {"api_key": "k"}, "multiple values for argument 'api_key'"),
        ((), {"api_kye": "k"}, "unexpected keyword argument 'api_kye'"),
    ],
)
def test_wrong_arguments_are_refused(args: Any, kwargs: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        RecostConfig(*args, **kwargs)


def test_a_dataclass_may_inherit_from_it() -> None:
    @dataclasses.dataclass
    class Own(RecostConfig):
        team: str = "x"

    assert [field.name for field in dataclasses.fields(Own)][-1] == "team"
    assert Own(project_id="p").given() == {"project_id": "p"}
    assert list(inspect.signature(Own).parameters)[-1] == "team"


def test_its_signature_names_the_fields() -> None:
    assert list(inspect.signature(RecostConfig).parameters) == [
        field.name for field in dataclasses.fields(RecostConfig)
    ]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is new in 3.13")
def test_a_copy_with_other_values() -> None:
    replace: Any = vars(copy)["replace"]
    assert replace(RecostConfig(project_id="p"), debug=True) == RecostConfig(project_id="p", debug=True)
