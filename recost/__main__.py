"""``python -m recost`` is the ``recost`` command."""

from __future__ import annotations

import sys

from recost.cli import main

if __name__ == "__main__":
    sys.exit(main())
