"""keysplit gives a Django backend a JWT signing key of its own.

The program is a binary that this package carries; ``python -m keysplit`` runs it.
"""

import os
import sysconfig
from importlib import metadata

_NAME = "keysplit.exe" if os.name == "nt" else "keysplit"


def find_binary():
    """Return the path of the installed program."""
    seen = []
    for path in _places():
        if os.path.isfile(path):
            return path
        seen.append(path)
    raise FileNotFoundError("the keysplit program is not installed; looked at: " + ", ".join(seen))


def _places():
    # The record of the installation knows it for a virtual environment, for
    # pip install --user and --prefix, and for uv and pipx.
    try:
        files = metadata.files("keysplit") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == _NAME:
            yield os.path.normpath(str(file.locate()))
    yield os.path.join(sysconfig.get_path("scripts"), _NAME)
    # pip install --target DIR moves the files after it has written the record.
    yield os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin", _NAME)
