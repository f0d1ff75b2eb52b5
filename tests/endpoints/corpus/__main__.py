"""Measure the templater against both corpora: ``python -m tests.endpoints.corpus [-v] [--held-out]``."""

from __future__ import annotations

import sys

from recost.endpoints import names, words
from recost.endpoints.vocabulary import GENERAL_WORDS, SUBRESOURCES
from tests.endpoints.corpus.measure import HELD_OUT, leaks_left, read_routes, static_hidden, tuned, words_of

if __name__ == "__main__":
    routes = read_routes()
    if "--held-out" in sys.argv:  # as if the second half of the APIs were unknown
        first = words_of({api: paths for api, paths in routes.items() if tuned(api)})
        for module in (names, words):
            setattr(module, "WORDS", SUBRESOURCES | GENERAL_WORDS | first)  # noqa: B010
    print("| corpus | size | looked at | wrong | rate |\n|---|---|---|---|---|")
    wrongs = []
    corpora = {
        "routes, first half": {api: paths for api, paths in routes.items() if tuned(api)},
        "routes, second half": {api: paths for api, paths in routes.items() if not tuned(api)},
        "routes, held out": read_routes(HELD_OUT),
    }
    for name, chosen in corpora.items():
        seen, hidden, filled, left = static_hidden(chosen)
        size = f"{sum(map(len, chosen.values()))} routes, {len(chosen)} APIs"
        print(f"| {name}: static words hidden | {size} | {seen} | {len(hidden)} | {len(hidden) / seen:.2%} |")
        print(
            f"| {name}: parameters let through | {size} | {filled} | {len(left)} | {len(left) / filled:.2%} |"
        )
        wrongs += [*hidden, *left]
    total, kept = leaks_left()
    print(f"| leaking shapes let through | {total} paths | {total} | {len(kept)} | {len(kept) / total:.2%} |")
    if "-v" in sys.argv:
        print(*wrongs, *kept, sep="\n")
