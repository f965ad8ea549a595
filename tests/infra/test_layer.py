from pathlib import Path

import pytest

from infra import layer

MB = 1_000_000


@pytest.mark.parametrize("target", layer.TARGETS)
def test_holds_exactly_what_functions_import_and_the_runtime_lacks(target: layer.Target) -> None:
    names = {path.name for path in (layer.layer_directory(target) / "python").iterdir()}
    assert {"aws_lambda_powertools", "pydantic", "pydantic_core"} <= names
    assert not names & {"boto3", "botocore", "requests", "bin"}
    assert not [name for name in names if name.endswith(".dist-info")]


def test_the_layer_for_aws_is_built_for_arm() -> None:
    (library,) = (layer.layer_directory("aws") / "python" / "pydantic_core").glob("*.so")
    assert "cpython-313-aarch64" in library.name


def test_is_rebuilt_only_when_the_recipe_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layer, "LAYERS", tmp_path)
    built: list[str] = []

    def build(_target: str, finished: Path, recipe: str) -> None:
        built.append(recipe)
        finished.mkdir(exist_ok=True)
        layer._stamp(finished).write_text(recipe)

    monkeypatch.setattr(layer, "_build", build)
    layer.layer_directory("aws")
    layer.layer_directory("aws")
    assert len(built) == 1
    monkeypatch.setattr(layer, "_recipe", lambda _target: "changed lock")
    layer.layer_directory("aws")
    assert built[1:] == ["changed lock"]


def test_a_missing_uv_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layer, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    with pytest.raises(layer.LayerError, match="make setup"):
        layer._uv_executable()
