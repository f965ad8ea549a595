import pytest

from tests.infra.event_pattern import matches

EVENT = {
    "source": "aws.states",
    "detail": {"status": "FAILED", "name": "incidentio-x", "score": 4, "kinds": ["a", "b"], "found": [{"id": 1}]},
}


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
        ({"source": [{"anything-but": ["aws.s3", "aws.states"]}]}, False),
        ({"source": [{"anything-but": ["aws.s3"]}]}, True),
        ({"detail": {"score": [{"numeric": [">=", 4]}]}}, True),
        ({"detail": {"score": [{"numeric": [">=", 5]}]}}, False),
        ({"detail": {"kinds": ["b", "c"]}}, True),
        ({"detail": {"kinds": ["c"]}}, False),
        ({"detail": {"found": {"id": [1]}}}, True),
        ({"detail": {"found": {"id": [2]}}}, False),
        ({"detail": {"error": [{"exists": False}]}}, True),
        ({"detail": {"status": [{"exists": False}]}}, False),
        ({"$or": [{"source": ["aws.s3"]}, {"detail": {"status": ["FAILED"]}}]}, True),
        ({"$or": [{"source": ["aws.s3"]}, {"detail": {"status": ["DONE"]}}]}, False),
        ({"detail": {"other": [{"anything-but": {"prefix": ["a-"]}}]}}, False),
    ],
)
def test_matches_as_eventbridge_does(pattern: dict[str, object], expected: bool) -> None:
    assert matches(pattern, EVENT) is expected
