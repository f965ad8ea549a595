"""Log lines and metrics as CloudWatch reads them."""

import json

import pytest

from incidentio.aws.observability import count, log, told
from incidentio.core.errors import Unavailable


def test_a_line_is_json_without_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    log("new", incident_id="INC-7K3F9A", service_of_it=None)
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"], line["incident_id"]) == ("INFO", "new", "INC-7K3F9A")
    assert "service_of_it" not in line


def test_the_level_is_obeyed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    log("quiet")
    log("loud", level="ERROR")
    assert json.loads(capsys.readouterr().out)["message"] == "loud"


def test_counts_are_embedded_metrics(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ingest")
    count({"new": 2, "duplicate": 0})
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (line["service"], line["new"]) == ("ingest", 2)
    assert directive["Dimensions"] == [["service"]]
    assert directive["Metrics"] == [{"Name": "new", "Unit": "Count"}]
    count({"new": 0})
    assert capsys.readouterr().out == ""


def test_only_our_own_errors_are_quoted_and_redacted() -> None:
    assert told(ValueError("secret data")) == {"error": "ValueError"}
    assert told(Unavailable("password=x"))["detail"] == "password=[redacted:value]"
