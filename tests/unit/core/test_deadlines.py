from datetime import timedelta

import pytest

from incidentio.core.catalog import Catalog, Service
from incidentio.core.deadlines import next_due
from incidentio.core.routing import Routing
from tests.make import NOW, an_incident

ROUTING = Routing()
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({}, NOW + MINUTE),
        ({"triaged_at": NOW, "told_episode": 1}, None),
        ({"triaged_at": NOW, "told_episode": 1, "last_paged_at": NOW, "repeat_seconds": 300}, NOW + 5 * MINUTE),
        (
            {
                "triaged_at": NOW,
                "told_episode": 1,
                "last_paged_at": NOW,
                "repeat_seconds": 300,
                "status": "acknowledged",
            },
            None,
        ),
        ({"triaged_at": NOW, "told_episode": 1, "last_paged_at": NOW, "repeat_seconds": 0}, None),
        (
            {"triaged_at": NOW, "told_episode": 1, "ok_since": NOW, "last_paged_at": NOW, "repeat_seconds": 600},
            NOW + 5 * MINUTE,
        ),
        ({"triaged_at": NOW}, NOW + MINUTE),
        ({"triaged_at": NOW, "mode": "monitor"}, None),
        ({"ok_since": NOW, "status": "resolved"}, None),
    ],
)
def test_the_earliest_open_wait_is_due(fields, due):
    assert next_due(an_incident(**fields), ROUTING) == due


def test_blast_radius_is_everything_downstream_and_survives_cycles():
    catalog = Catalog(
        services={
            "db": Service(depends_on=("web",)),
            "api": Service(depends_on=("db",)),
            "web": Service(depends_on=("api",)),
            "other": Service(),
        }
    )
    assert catalog.downstream_of("db") == ("api", "web")
    assert catalog.downstream_of("other") == ()


def test_an_unknown_dependency_names_the_known_services():
    with pytest.raises(ValueError, match="depends on nowhere, which is not in the catalogue: known are api"):
        Catalog(services={"api": Service(depends_on=("nowhere",))})


def test_the_default_route_pages_for_severe_production_only():
    find = ROUTING.route.find
    assert find({"environment": "production", "severity": "SEV1"}).receiver == "page"
    assert find({"environment": "production", "severity": "SEV3"}).receiver == "ticket"
    assert find({"environment": "staging", "severity": "SEV1"}).receiver == "ticket"
