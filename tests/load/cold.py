"""What a cold start costs: CPU of importing every handler in a fresh process, and the size of what is shipped."""

import io
import os
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.load.rows import Row, row

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
ASSET = ROOT / "build" / "asset"
LAYER = ROOT / "build" / "layer" / "aws"
_REPEATS = 11
_TIMER = (
    "import sys, time; sys.path.insert(0, sys.argv[1]); start = time.process_time(); "
    "__import__(sys.argv[2]); print((time.process_time() - start) * 1000)"
)


def handlers() -> list[str]:
    """Every Lambda entry module, found by its file name."""
    files = (FUNCTIONS / "incidentio").rglob("handler.py")
    return sorted(".".join(file.relative_to(FUNCTIONS).with_suffix("").parts) for file in files)


def measure() -> Iterator[Row]:
    # One after the other in rounds, so that a slow moment of the machine is not one handler's alone.
    rounds = [{module: _import_ms(module) for module in handlers()} for _ in range(_REPEATS)]
    for module in handlers():
        name = module.removeprefix("incidentio.").removesuffix(".handler")
        yield row(f"cold_import_ms.{name}", statistics.median(times[module] for times in rounds))
    newest = max(ASSET.iterdir(), key=lambda asset: asset.stat().st_mtime)  # one for each catalogue that was deployed
    yield row("package_zip_mb", (_zipped(newest) + _zipped(LAYER)) / 1e6)


def _import_ms(module: str) -> float:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",  # as our functions have it
    }
    command = [sys.executable, "-c", _TIMER, str(FUNCTIONS), module]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def _zipped(folder: Path) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(folder))
    return len(buffer.getvalue())
