from __future__ import annotations

from recost.endpoints.templating import template_for
from tests.endpoints.corpus.measure import HELD_OUT, leaks_left, read_leaks, read_routes, static_hidden

ROUTES = read_routes()


def test_the_corpora_are_large_enough() -> None:
    assert len(ROUTES) >= 30
    assert sum(map(len, ROUTES.values())) >= 2000
    assert len(read_leaks()) >= 500


def test_documented_words_stay_and_their_parameters_go() -> None:
    seen, hidden, _, left = static_hidden(ROUTES)
    assert len(hidden) < 0.01 * seen, hidden[:50]
    assert not left


def test_words_of_apis_that_no_word_was_taken_from_stay() -> None:
    routes = read_routes(HELD_OUT)
    assert len(routes) >= 60
    seen, hidden, _, left = static_hidden(routes)
    assert len(hidden) < 0.01 * seen, hidden
    assert not left


def test_nothing_is_left_of_persons_tenants_and_secrets() -> None:
    assert leaks_left()[1] == []


def test_leaks_come_to_rest_after_one_pass() -> None:
    for _, host, path, _ in read_leaks():
        shown = template_for(host, path)
        assert template_for(host, shown) == shown, path
