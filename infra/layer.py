"""Builds the Lambda layer from the locked versions: once for AWS, once for the local target.

`python -m infra.layer` builds both. A layer is rebuilt only when the lock file or this recipe changed; concurrent
builds wait for each other, and a reader never sees a half-built directory.
"""

import compileall
import fcntl
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Target = Literal["aws", "local"]
TARGETS: tuple[Target, ...] = ("aws", "local")

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ROOT / "build" / "layer"
LAMBDA_PYTHON = "3.13"
LAMBDA_PLATFORM = "aarch64-manylinux2014"
# Never imported by incidentio. Distribution metadata goes too: pydantic scans it for plugins on import.
TRIMMED = (
    "bin",
    "**/__pycache__",
    "**/tests",
    "*.dist-info",
    ".lock",
    "pydantic/v1",
    "pydantic/mypy.py",
    "pydantic/_hypothesis_plugin.py",
)


class LayerError(Exception):
    """The layer could not be built; the message says what to do."""


def layer_directory(target: Target) -> Path:
    """Return the up-to-date layer directory (holding `python/`) of `target`, building it where needed.

    Raises LayerError when uv is missing or fails.
    """
    finished = LAYERS / target
    recipe = _recipe(target)
    if _is_current(finished, recipe):
        return finished
    LAYERS.mkdir(parents=True, exist_ok=True)
    with _lock(LAYERS / f".{target}.lock"):
        if not _is_current(finished, recipe):
            _build(target, finished, recipe)
    return finished


def _recipe(target: Target) -> str:
    digest = hashlib.sha256()
    for source in (ROOT / "uv.lock", Path(__file__)):
        digest.update(source.read_bytes())
    if target == "local":
        digest.update(f"{sys.version} {sys.platform}".encode())
    return digest.hexdigest()


def _stamp(finished: Path) -> Path:
    return finished.with_name(f".{finished.name}.recipe")


def _is_current(finished: Path, recipe: str) -> bool:
    stamp = _stamp(finished)
    return finished.is_dir() and stamp.is_file() and stamp.read_text() == recipe


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(target: Target, finished: Path, recipe: str) -> None:
    unfinished = LAYERS / f".{target}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    _stamp(finished).unlink(missing_ok=True)
    requirements = LAYERS / f".{target}.requirements.txt"
    _uv("export", "--frozen", "--only-group", "lambda-layer", "--no-emit-project", "-q", "-o", str(requirements))
    platform = (
        ["--python-platform", LAMBDA_PLATFORM, "--python-version", LAMBDA_PYTHON]
        if target == "aws"
        else ["--python", sys.executable]
    )
    python = unfinished / "python"
    _uv(
        "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy",
        *platform, "--target", str(python), "-r", str(requirements),
    )  # fmt: skip
    for pattern in TRIMMED:
        for path in list(python.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if target == "local":
        _precompile(python)
    shutil.rmtree(finished, ignore_errors=True)
    unfinished.rename(finished)
    _stamp(finished).write_text(recipe)


def _precompile(python: Path) -> None:
    # Each local worker unpacks the layer anew; byte code that is not tied to file times saves its cold start.
    compiled = compileall.compile_dir(
        python, quiet=2, stripdir=str(python), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    if not compiled:
        raise LayerError("the local Lambda layer does not compile with this Python")


def _uv(*arguments: str) -> None:
    try:
        subprocess.run([_uv_executable(), *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise LayerError(
            f"uv {arguments[0]} failed while building the Lambda layer:\n{error.stderr.strip()}"
        ) from error


def _uv_executable() -> str:
    ours = max((ROOT / "build" / "uv").glob("*/bin/uv"), default=None)
    found = os.environ.get("UV") or (str(ours) if ours else shutil.which("uv"))
    if not found:
        raise LayerError("uv is missing: run `make setup`, which installs it")
    return found


def main() -> int:
    """Build both layers."""
    try:
        for target in TARGETS:
            layer_directory(target)
    except LayerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
