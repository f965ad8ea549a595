"""What a team's YAML changes on the deployed app: whose alarm it is, how bad, who is hit, what starts by itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.own import incidentio
from tests.e2e.world import World, eventually


@pytest.fixture
def service(world: World) -> str:
    """A real ECS service of two tasks; returns its name, which is also that of its cluster."""
    ecs, name = world.client("ecs"), f"web-{world.tag}"
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=name, desiredCount=2)
    return name


def desired(world: World, service: str) -> int:
    found = world.client("ecs").describe_services(cluster=service, services=[service])
    return int(found["services"][0]["desiredCount"])


def cpu_alarm(world: World, service: str) -> str:
    """A firing alarm on the processor of `service`, named as the catalogue's storefront."""
    name, topic = f"storefront-cpu-{world.tag}", world.outputs["SignalTopicArn"]
    world.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "ClusterName", "Value": service}, {"Name": "ServiceName", "Value": service}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
        OKActions=[topic],
    )
    world.set_alarm(name, "ALARM")
    return name


def test_what_the_team_opted_in_to_and_rehearsed_starts_by_itself(world: World, service: str) -> None:
    drill = world.rehearse("storefront", "scale-out-service", f"{service}/{service}")
    assert [run["status"] for run in drill["runs"]] == ["planned"]
    assert desired(world, service) == 2
    assert world.told(drill["id"]) == []
    incident = world.the_incident_of(cpu_alarm(world, service))
    # First what is taken back after some seconds, as the alarm goes on.
    eventually(lambda: desired(world, service) == 4, "more tasks without anybody asking")
    triaged = world.entry(incident["id"], "IncidentTriaged")["text"]
    assert "alarm name matches storefront-*" in triaged
    assert "storefront is tier 1" in triaged
    found = world.incident(incident["id"])
    assert (found["service"], found["severity"], found["proposed"]) == ("storefront", "SEV1", ["scale-out-service"])
    (run,) = world.incident(incident["id"])["runs"]
    assert run["requester"]["kind"] == "system"


def test_a_deploy_is_followed_by_a_rehearsal_and_one_that_fails_by_a_ticket(world: World, service: str) -> None:
    world.rehearse("storefront", "scale-out-service", f"{service}/{service}")

    def rehearsed_by_us() -> list[dict[str, Any]]:
        past = world.alice.get("/playbooks/scale-out-service/history")["items"]
        return [run for run in past if run["requester"] == "system" and run["kind"] == "drill"]

    before = len(rehearsed_by_us())
    world.alice.post("/deploys", {"service": "storefront", "version": f"v-{world.tag}"})
    eventually(lambda: len(rehearsed_by_us()) > before, "a rehearsal after the deploy")

    gone = f"{service}/gone"
    asked = world.alice.post("/playbooks/scale-out-service/rehearsals", {"service": "parcel", "target": gone})
    title = "rehearsal of scale-out-service for parcel failed"

    def ticket() -> dict[str, Any] | None:
        found = world.alice.get("/incidents?status=open&service=parcel&limit=100")["items"]
        return next((each for each in found if each["title"] == title), None)

    opened = eventually(ticket, "the ticket")
    assert (opened["kind"], opened["severity"]) == ("real", "SEV4")
    told = eventually(lambda: world.told(opened["id"]), "news of the ticket")[0]
    assert told["topic"] == world.outputs["TicketTopicArn"]
    assert "there is no active service gone" in world.entry(opened["id"], "IncidentTriggered")["text"]
    assert world.incident(asked["incident_id"])["kind"] == "drill"


def test_an_alarm_is_given_to_a_service_by_its_tags_and_names_who_depends_on_it(world: World) -> None:
    alarm = world.alarm("shelf", tags={"app": "stock"})
    world.set_alarm(alarm, "ALARM")
    incident = world.the_incident_of(alarm)
    world.entry(incident["id"], "IncidentTriaged")
    found = world.incident(incident["id"])
    assert (found["service"], found["severity"], found["blast_radius"]) == ("stock", "SEV3", ["storefront"])
    ticket = eventually(lambda: world.told(incident["id"]), "the ticket")[0]
    assert ticket["topic"] == world.outputs["TicketTopicArn"]
    assert ticket["attributes"]["service"] == "stock"


def test_hands_off_a_service_stops_its_playbooks(
    target: dict[str, Any], world: World, service: str, tmp_path: Path
) -> None:
    (tmp_path / "local.json").write_text(json.dumps(target))
    incident_id = world.alice.post("/incidents", {"title": f"slow {world.tag}", "service": "stock"})["id"]
    stopped = incidentio(tmp_path, "hands-off", "stock", "on", "--reason", "we do it by hand")
    assert stopped.returncode == 0, stopped.stderr
    try:
        world.request(world.alice, incident_id, "scale-out-service", target=f"{service}/{service}")
        assert "automation is stopped for stock" in world.entry(incident_id, "PlaybookRefused")["text"]
        assert desired(world, service) == 2
    finally:
        allowed = incidentio(tmp_path, "hands-off", "stock", "off", "--reason", "done")
        assert allowed.returncode == 0, allowed.stderr
    world.request(world.alice, incident_id, "scale-out-service", target=f"{service}/{service}")
    eventually(lambda: desired(world, service) == 4, "more tasks once automation may work again")
