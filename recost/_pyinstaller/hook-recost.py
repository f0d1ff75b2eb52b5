"""Modules that recost imports by name, and its data files.

The commands and their dependencies are skipped. `recost.cli` has a hook of its own.
"""

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

_OPTIONAL = ("__main__", "analytics", "cli", "frameworks", "pytest_plugin", "testing", "_pyinstaller")
_PREFIXES = tuple(f"recost.{name}" for name in _OPTIONAL)

_PRICES = ("genai_prices", "genai_prices.data", "genai_prices.data_units")
_DECODERS = ("brotli", "brotlicffi", "zstandard")

hiddenimports = collect_submodules("recost", filter=lambda name: not name.startswith(_PREFIXES))
hiddenimports += [name for name in (*_PRICES, *_DECODERS) if find_spec(name.partition(".")[0]) is not None]
datas = collect_data_files("recost", excludes=["cli/**"])
