"""Who may reach whom: what the network policies allow is what the map says, and nothing else."""

from itertools import product

import pytest
from deploy.check.helm.rendering import (
    VARIANTS,
    WORKLOADS,
    Object,
    container_of,
    name_of,
    of_kind,
    pod_labels,
    selected_by,
    selects,
)

pytestmark = pytest.mark.parametrize("variant", VARIANTS)

PORT = 8000
BROKERS = {9092, 9093}
"""Where brokers listen, without TLS and with it."""
CALLS = {
    "closed-loop": {"survey-intake", "attribution", "kpi-aggregator"},
    "bonus": {"attribution", "kpi-aggregator", "closed-loop"},
}
"""Who asks whom over HTTP; all else goes over the log (docs/architecture.md)."""
BEYOND = {("closed-loop", "worker"): {443, 587}}
"""Ports outside of this installation, its databases and brokers: webhooks and mail."""


def policy_of(variant: str, workload: Object) -> Object:
    """The one policy that selects its pods."""
    (found,) = [
        one["spec"]
        for one in of_kind(variant, "NetworkPolicy")
        if selects(one["spec"]["podSelector"]["matchLabels"], pod_labels(workload))
    ]
    assert isinstance(found, dict)
    return found


def part_of(workload: Object) -> tuple[str, str]:
    """(service, api | worker | migrate | topics)."""
    labels = pod_labels(workload)
    return labels["app.kubernetes.io/name"], labels["app.kubernetes.io/component"]


def ports_of(rules: list[Object]) -> set[int]:
    return {port["port"] for rule in rules for port in rule["ports"]}


def lets_out(policy: Object, target: Object) -> bool:
    return any(
        selects(peer["podSelector"]["matchLabels"], pod_labels(target))
        for rule in policy["egress"]
        if PORT in ports_of([rule])
        for peer in rule["to"]
        if "podSelector" in peer and "namespaceSelector" not in peer
    )


def lets_in(policy: Object, source: Object) -> bool:
    return any(
        selects(peer["podSelector"]["matchLabels"], pod_labels(source))
        for rule in policy.get("ingress", [])
        for peer in rule["from"]
        if "podSelector" in peer and "namespaceSelector" not in peer
    )


def test_every_port_of_every_pod_is_covered_by_one_policy(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        policy = policy_of(variant, workload)
        assert policy["policyTypes"] == ["Ingress", "Egress"], name_of(workload)
        open_ports = {port["containerPort"] for port in container_of(workload).get("ports", [])}
        assert ports_of(policy.get("ingress", [])) == open_ports, name_of(workload)


def test_no_policy_is_left_over(variant: str) -> None:
    for policy in of_kind(variant, "NetworkPolicy"):
        assert selected_by(policy["spec"]["podSelector"]["matchLabels"], of_kind(variant, *WORKLOADS))


def test_both_ends_allow_exactly_the_calls_of_the_map(variant: str) -> None:
    with_policies = [(one, policy_of(variant, one)) for one in of_kind(variant, *WORKLOADS)]
    for (source, going_out), (target, coming_in) in product(with_policies, with_policies):
        (caller, role), (called, kind) = part_of(source), part_of(target)
        meant = kind == "api" and role in {"api", "worker"} and called in CALLS.get(caller, set())
        said = f"{name_of(source)} → {name_of(target)}"
        assert lets_out(going_out, target) == meant, said
        assert lets_in(coming_in, source) == meant, said


def test_brokers_are_open_to_workers_and_to_who_makes_topics_only(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        reaches = bool(BROKERS & ports_of(policy_of(variant, workload)["egress"]))
        assert reaches == (part_of(workload)[1] in {"worker", "topics"}), name_of(workload)


def test_databases_are_open_to_all_but_who_makes_topics(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        reaches = 5432 in ports_of(policy_of(variant, workload)["egress"])
        assert reaches == (part_of(workload)[1] != "topics"), name_of(workload)


def test_nothing_else_leaves_the_installation(variant: str) -> None:
    for workload in of_kind(variant, *WORKLOADS):
        beyond = ports_of(policy_of(variant, workload)["egress"]) - {53, 5432, PORT} - BROKERS
        assert beyond <= BEYOND.get(part_of(workload), set()), name_of(workload)


def test_webhooks_do_not_lead_into_private_networks(variant: str) -> None:
    for workload in of_kind(variant, "Deployment"):
        for rule in policy_of(variant, workload)["egress"]:
            if ports_of([rule]) == {443}:
                (peer,) = rule["to"]
                assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(
                    peer["ipBlock"]["except"]
                )


def test_workers_are_reached_by_prometheus_alone(variant: str) -> None:
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    for workload in of_kind(variant, "Deployment"):
        if part_of(workload)[1] == "worker":
            assert [rule["from"] for rule in policy_of(variant, workload)["ingress"]] == [[monitoring]]


def test_the_ingress_controller_reaches_only_what_has_a_host(variant: str) -> None:
    shown = {one["metadata"]["labels"]["app.kubernetes.io/name"] for one in of_kind(variant, "Ingress")}
    for workload in of_kind(variant, "Deployment"):
        service, kind = part_of(workload)
        sources = [peer for rule in policy_of(variant, workload).get("ingress", []) for peer in rule["from"]]
        reached = any("ingress-nginx" in str(peer) for peer in sources)
        assert reached == (kind == "api" and service in shown), name_of(workload)
