"""What is stored reads back as it was, and a usual summary costs one write unit."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from incidentio.aws.attributes import from_item, to_item
from incidentio.aws.stored import incident_from, incident_item
from incidentio.core.signal import Subject
from tests.make import NOW, an_incident

ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:checkout-production-concurrent-executions"
PARTS = st.sampled_from(["", "eu-west-1", "111122223333", "checkout-production-concurrent-executions", "other"])
SUBJECTS = st.builds(
    Subject,
    account=PARTS,
    region=PARTS,
    alarm_name=PARTS,
    alarm_arn=st.sampled_from(["", ARN, "arn:aws:cloudwatch:::alarm:x"]),
    metric=st.sampled_from(["", "Errors"]),
    dimensions=st.dictionaries(st.sampled_from(["FunctionName", "as_key"]), st.text(max_size=5), max_size=2),
)
WHOLE = Subject(
    account="111122223333",
    region="eu-west-1",
    alarm_name="checkout-production-concurrent-executions",
    alarm_arn=ARN,
    namespace="AWS/Lambda",
    metric="ConcurrentExecutions",
    dimensions={"FunctionName": "checkout-production"},
)


@given(
    subject=st.one_of(SUBJECTS, st.just(WHOLE)), key=st.sampled_from([None, ARN, "arn:aws:cloudwatch:::alarm:x", "k"])
)
def test_a_summary_reads_back_as_it_was(subject, key):
    incident = an_incident(subject=subject, dedup_key=key, timeline_seq=1)
    assert incident_from(from_item(to_item(incident_item(incident, NOW)))) == incident


def test_a_paged_and_triaged_alarm_fits_into_one_write_unit():
    incident = an_incident(
        subject=WHOLE,
        dedup_key=ARN,
        service="checkout",
        triaged_at=NOW,
        first_paged_at=NOW,
        last_paged_at=NOW,
        repeat_seconds=300,
        proposed=("throttle-function",),
        blast_radius=("storefront",),
        correlation_id="6f2ff9d1-1c0c-4a44-8e21-7d7f9e6d3a9b",
        timeline_seq=4,
        pages=1,
    )
    item = to_item(incident_item(incident, NOW + timedelta(minutes=5)))
    assert _size(item) <= 1024


def _size(item) -> int:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""

    def of(attribute) -> int:
        ((kind, value),) = attribute.items()
        match kind:
            case "S":
                return len(value.encode())
            case "N":
                return len(value) // 2 + 2
            case "M":
                return 3 + sum(1 + len(k.encode()) + of(v) for k, v in value.items())
            case "L":
                return 3 + sum(1 + of(v) for v in value)
            case _:
                return 1

    return sum(len(name.encode()) + of(value) for name, value in item.items())
