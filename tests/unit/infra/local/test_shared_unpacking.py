import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.local.ministack_main import share_unpacked


@pytest.fixture
def runtime(tmp_path: Path) -> SimpleNamespace:
    patched = SimpleNamespace(zipfile=zipfile)
    share_unpacked(patched, tmp_path / "unpacked")
    return patched


def unpack(runtime: SimpleNamespace, tmp_path: Path, worker: str, content: str) -> Path:
    """What a worker does with the archive of its function."""
    place = tmp_path / worker / "code"
    place.mkdir(parents=True)
    archive = tmp_path / worker / "code.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.py", content)
    with runtime.zipfile.ZipFile(archive) as opened:
        opened.extractall(place)
    return place


def test_workers_of_one_archive_share_its_files(runtime: SimpleNamespace, tmp_path: Path) -> None:
    first, second = (unpack(runtime, tmp_path, worker, "a = 1") for worker in ("one", "two"))
    assert (first / "index.py").read_text() == "a = 1"
    assert first.resolve() == second.resolve()


def test_another_archive_has_files_of_its_own(runtime: SimpleNamespace, tmp_path: Path) -> None:
    first = unpack(runtime, tmp_path, "one", "a = 1")
    second = unpack(runtime, tmp_path, "two", "a = 2")
    assert ((first / "index.py").read_text(), (second / "index.py").read_text()) == ("a = 1", "a = 2")


def test_the_errors_of_the_module_stay_the_same(runtime: SimpleNamespace) -> None:
    assert runtime.zipfile.BadZipFile is zipfile.BadZipFile
