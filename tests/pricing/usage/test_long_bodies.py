"""An answer says the same, however long it is, in whatever pieces and coding it comes."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.interceptors.capture import LIMIT, Capture
from recost.pricing.usage import Content, Reading, read_answer
from tests.pricing.usage.answers import SAMPLES, Sample
from tests.pricing.usage.changes import agrees
from tests.pricing.usage.lengthening import PADDINGS, PLACES, lengthened, pieces, repeated
from tests.test_decompression import CODINGS

CODED: Final[dict[str, Any]] = {"": bytes, **CODINGS}
LONG: Final = [sample for sample in SAMPLES if lengthened(sample, "text", "middle", 10) is not None]


def read(sample: Sample, body: bytes, coding: str = "", seed: int = 1) -> Reading:
    """Return what is read of an answer that comes in pieces."""
    capture = Capture((), {}, sample.content_type, coding)
    for piece in pieces(CODED[coding](body), seed):
        capture.feed(piece)
        assert capture.nbytes <= LIMIT + 8192
    capture.complete = True
    kept = capture.take()
    assert kept is not None
    content = sample.content(
        head=kept.head,
        tail=kept.tail,
        gap=kept.gap,
        encoding=kept.encoding,
        unread=kept.unread,
        thinned=kept.thinned,
        size=kept.size,
    )
    reading = read_answer(sample.shape, content)
    assert reading.size == len(body)
    return reading


def short(sample: Sample) -> Reading:
    return read_answer(sample.shape, sample.content())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("padding", PADDINGS)
def test_long_members_change_nothing(padding: str, place: str) -> None:
    marked = []
    for number, sample in enumerate(LONG):
        body = lengthened(sample, padding, place, 150_000)
        assert body is not None
        found, whole = read(sample, body, seed=number), short(sample)
        if found.usage != whole.usage:
            assert found.usage is not None, sample.name
            assert found.usage.partial, (sample.name, found.usage, whole.usage)
            marked.append(sample.name)
    assert len(marked) <= 0, marked
