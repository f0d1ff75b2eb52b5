"""The page with the form that takes a key."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final, Optional

from starlette.responses import HTMLResponse

__all__ = ["form"]

_STYLE: Final = """
:root {
  color-scheme: light dark; --page: light-dark(#f5f6f8, #0f1218); --surface: light-dark(#fff, #171b23);
  --text: light-dark(#151922, #eceff4); --muted: light-dark(#566070, #a3adbb);
  --edge: light-dark(#868f9d, #6d7785); --accent: light-dark(#3457d5, #8fa8ff);
  --on-accent: light-dark(#fff, #10141b); --bad: light-dark(#c4314b, #ff7a90);
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px;
  background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main {
  width: 100%; max-width: 400px; padding: 28px; background: var(--surface); border-radius: 12px;
  box-shadow: 0 1px 3px rgb(0 0 0 / .15);
}
h1 { margin: 0 0 4px; font-size: 20px; }
p { margin: 0 0 16px; color: var(--muted); }
.problem { color: var(--bad); }
label { display: block; margin-bottom: 4px; font-weight: 600; }
input, button { width: 100%; font: inherit; padding: 9px 12px; border-radius: 8px; }
input { margin-bottom: 16px; border: 1px solid var(--edge); background: var(--page); color: inherit; }
button {
  border: 0; background: var(--accent); color: var(--on-accent); font-weight: 600; cursor: pointer;
}
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
.last { margin: 16px 0 0; font-size: 13px; }
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src data:"
)
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": f"{_POLICY}; style-src 'sha256-{_DIGEST}'",
    # Without its origin, a browser could not show that the form is our own.
    "referrer-policy": "same-origin",
}


def form(view: str, problem: Optional[str] = None) -> HTMLResponse:
    """Return the page.

    Args:
        view: The path of the dashboard.
        problem: What was wrong with the key.
    """
    wrong = "" if problem is None else f'<p class="problem" role="alert">{escape(problem)}</p>'
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in: recost collector</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body><main><h1>recost</h1><p>What API calls cost</p>{wrong}"
        '<form method="post" action="/login"><label for="key">Key of a project</label>'
        '<input id="key" name="key" type="password" required autofocus maxlength="256" spellcheck="false" '
        'autocomplete="current-password" placeholder="rc-…">'
        '<button type="submit">Show the dashboard</button></form>'
        f'<p class="last"><a href="{escape(view)}">Go on</a> if you have signed in before.</p>'
        "</main></body></html>"
    )
    return HTMLResponse(page, 200 if problem is None else 401, headers=_HEADERS)
