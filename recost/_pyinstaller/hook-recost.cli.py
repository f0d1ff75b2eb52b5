"""Commands, which are imported by name, and the files of the dashboard."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

hiddenimports = collect_submodules("recost.cli") + collect_submodules("recost.analytics")
datas = collect_data_files("recost.cli", include_py_files=False)
