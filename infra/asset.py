"""Stages what every function ships: the package without its command line, and the configuration bundle.

The folder is named for its content, so the same code and configuration give the same asset, and two
syntheses with different catalogues never write over each other.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from incidentio.core.bundle import Bundle
from infra.options import ROOT

FUNCTIONS = ROOT / "functions"
STAGED = ROOT / "build" / "asset"
_LEFT_OUT = {"__pycache__", "cli"}
_BUNDLE = Path("incidentio/bundle.json")


def stage(bundle: Bundle, *, into: Path = STAGED) -> Path:
    """Return the asset folder that holds the code of now and `bundle`."""
    document = json.dumps(bundle.document(), separators=(",", ":")).encode()
    files = {path.relative_to(FUNCTIONS): path.read_bytes() for path in _shipped(FUNCTIONS / "incidentio")}
    files[_BUNDLE] = document
    finished = into / _digest(files)
    if not finished.is_dir():
        into.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=into, prefix=".unfinished-"))
        unfinished.chmod(0o755)
        for name, content in files.items():
            path = unfinished / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _move(unfinished, finished)
        _forget_old(into)
    return finished


def _shipped(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT or path.name == _BUNDLE.name:
            continue
        if path.is_dir():
            yield from _shipped(path)
        elif path.suffix != ".pyc":
            yield path


def _digest(files: dict[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _forget_old(folder: Path) -> None:
    """Remove what was staged over a day ago: the CDK has copied it into its output long since."""
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - 86_400:
            shutil.rmtree(path, ignore_errors=True)


def _move(unfinished: Path, finished: Path) -> None:
    try:
        unfinished.rename(finished)
    except OSError:
        # Another synthesis was first with the same content.
        if not finished.is_dir():
            raise
        shutil.rmtree(unfinished)
