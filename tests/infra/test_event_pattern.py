import pytest

from tests.infra.event_pattern import matches

EVENT = {"source": "aws.states", "detail": {"status": "FAILED", "name": "incidentio-x"}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.states"]}, True),
        ({"source": ["aws.s3", "aws.states"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"region": ["eu-west-1"]}, False),
        ({"source": [{"prefix": ""}]}, True),
        ({"detail": {"name": [{"prefix": "incidentio-"}]}}, True),
        ({"detail": {"name": [{"anything-but": {"prefix": ["a-", "incidentio-"]}}]}}, False),
        ({"detail": {"name": [{"anything-but": {"prefix": ["a-", "b-"]}}]}}, True),
        ({"detail": {"other": [{"anything-but": {"prefix": ["a-"]}}]}}, False),
    ],
)
def test_matches_as_eventbridge_does(pattern: dict[str, object], expected: bool) -> None:
    assert matches(pattern, EVENT) is expected
