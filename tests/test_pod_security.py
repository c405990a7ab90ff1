"""Every control of the Pod Security Standards: what it flags and lets pass, at each level, in every kind of workload and container.

The facts are those of k8s.io/pod-security-admission (policy/check_*.go and test/fixtures_*.go, release 1.36), written anew as a table.
"""

from __future__ import annotations

from typing import Any

import pytest
from policy_support import KINDS, LISTS, container, controls, findings, pod_spec, workload

LEVELS = ("privileged", "baseline", "restricted")
TYPES = {"baseline": 1, "restricted": 2}
BASELINE_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
    "SETUID", "SYS_CHROOT",
)  # fmt: skip
UNRESTRICTED_VOLUMES = (
    "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume", "cinder", "cephfs", "flocker",
    "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "portworxVolume", "scaleIO", "storageos", "photonPersistentDisk",
)  # fmt: skip
HOST_PATHS = (
    "", "/", "/data", "/etc", "/var/run/docker.sock", "/run/k3s/containerd/containerd.sock", "/dev/ttyUSB0", "/tmp", "/var/snap/x",
)  # fmt: skip
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
SELINUX_DENIED = ({"type": "spc_t"}, {"user": "u"}, {"role": "r"})
SYSCTLS = {
    "1.0": ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start"],
    "1.27": ["net.ipv4.ip_local_reserved_ports"],
    "1.29": ["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"],
    "1.32": ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
    "1.37": ["net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"],
}  # fmt: skip
Row = tuple[str, str | None, dict[str, Any]]
WINDOWS = {"windowsOptions": {"hostProcess": True}}


def ctx(**fields: Any) -> dict[str, Any]:
    """What joins a securityContext."""
    return {"context": fields}


def adding(name: str) -> dict[str, Any]:
    return ctx(capabilities={"drop": ["ALL"], "add": [name]})


def sysctl(name: str) -> dict[str, Any]:
    return ctx(sysctls=[{"name": name, "value": "1"}])


# (control, level from which it denies or None, what joins a container)
IN_A_CONTAINER: list[Row] = [
    ("privileged", "baseline", {"context": {"privileged": True}}),
    ("privileged", None, {"context": {"privileged": False}}),
    ("privileged", None, {"context": {"privileged": None}}),
    *(("capabilities_baseline", "baseline", adding(c)) for c in ("NET_RAW", "SYS_ADMIN", "ALL", "chown")),
    *(("capabilities_restricted", None if c == "NET_BIND_SERVICE" else "restricted", adding(c)) for c in BASELINE_CAPABILITIES),
    ("capabilities_restricted", "restricted", {"context": {"capabilities": {"drop": ["all"]}}}),
    ("capabilities_restricted", "restricted", {"context": {"capabilities": {"drop": ["NET_RAW", "CHOWN"]}}}),
    ("capabilities_restricted", "restricted", {"context": {"capabilities": {}}}),
    ("capabilities_restricted", "restricted", {"context": {"capabilities": None}}),
    ("capabilities_restricted", None, {"context": {"capabilities": {"drop": ["CHOWN", "ALL"], "add": []}}}),
    ("hostPorts", "baseline", {"ports": [{"containerPort": 80, "hostPort": 80}]}),
    ("hostPorts", "baseline", {"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 65535}]}),
    ("hostPorts", None, {"ports": [{"containerPort": 80, "hostPort": 0}, {"containerPort": 81, "hostPort": None}, {"containerPort": 82}]}),
    ("appArmorProfile", "baseline", {"context": {"appArmorProfile": {"type": "Unconfined"}}}),
    ("appArmorProfile", None, {"context": {"appArmorProfile": {"type": "RuntimeDefault"}}}),
    ("appArmorProfile", None, {"context": {"appArmorProfile": {"type": "Localhost", "localhostProfile": "p"}}}),
    *(("seLinuxOptions", "baseline", {"context": {"seLinuxOptions": o}}) for o in SELINUX_DENIED),
    *(("seLinuxOptions", None, {"context": {"seLinuxOptions": {"type": t, "level": "s0"}}}) for t in SELINUX_TYPES),
    ("procMount", "baseline", {"context": {"procMount": "Unmasked"}}),
    ("procMount", None, {"context": {"procMount": "Default"}}),
    ("seccompProfile_baseline", "baseline", {"context": {"seccompProfile": {"type": "Unconfined"}}}),
    ("seccompProfile_baseline", None, {"context": {"seccompProfile": {"type": "RuntimeDefault"}}}),
    ("seccompProfile_baseline", None, {"context": {"seccompProfile": {"type": "Localhost", "localhostProfile": "p"}}}),
    ("windowsHostProcess", "baseline", {"context": WINDOWS}),
    ("windowsHostProcess", None, {"context": {"windowsOptions": {"hostProcess": False, "runAsUserName": "ContainerUser"}}}),
    *(
        ("hostProbesAndHostLifecycle", "baseline", {probe: {kind: {"port": 80, "host": "127.0.0.1"}}})
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for kind in ("httpGet", "tcpSocket")
    ),
    *(
        ("hostProbesAndHostLifecycle", "baseline", {"lifecycle": {hook: {kind: {"port": 80, "host": "example.com"}}}})
        for hook in ("postStart", "preStop")
        for kind in ("httpGet", "tcpSocket")
    ),
    ("hostProbesAndHostLifecycle", None, {"livenessProbe": {"httpGet": {"port": 80, "host": ""}}}),
    ("hostProbesAndHostLifecycle", None, {"lifecycle": {"preStop": {"httpGet": {"port": 80}}}}),
    ("allowPrivilegeEscalation", "restricted", {"context": {"allowPrivilegeEscalation": True}}),
    ("allowPrivilegeEscalation", "restricted", {"context": {"allowPrivilegeEscalation": None}}),
    ("runAsNonRoot", "restricted", {"context": {"runAsNonRoot": False}}),
    ("runAsNonRoot", None, {"context": {"runAsNonRoot": True}}),
    ("runAsUser", "restricted", {"context": {"runAsUser": 0}}),
    ("runAsUser", None, {"context": {"runAsUser": 1000}}),
]

# (control, level from which it denies or None, what joins the PodSpec)
IN_A_POD: list[Row] = [
    *(("hostNamespaces", "baseline", {field: True}) for field in ("hostNetwork", "hostPID", "hostIPC")),
    *(("hostNamespaces", None, {field: value}) for field in ("hostNetwork", "hostPID", "hostIPC") for value in (False, None)),
    *(
        ("hostPathVolumes", "baseline", {"volumes": [{"name": "v", "hostPath": {"path": path}}]})
        for path in HOST_PATHS
    ),
    *(
        ("hostPathVolumes", None, {"volumes": [{"name": "v", kind: source}]})
        for kind, source in {
            "emptyDir": {}, "secret": {"secretName": "s"}, "configMap": {"name": "c"}, "persistentVolumeClaim": {"claimName": "c"},
            "projected": {"sources": []}, "downwardAPI": {"items": []}, "csi": {"driver": "d"}, "image": {"reference": "i:1"},
            "ephemeral": {"volumeClaimTemplate": {"spec": {}}},
        }.items()
    ),
    ("restrictedVolumes", None, {"volumes": [{"name": "v"}]}),
    *(
        ("restrictedVolumes", "restricted", {"volumes": [{"name": "v", kind: {}}]})
        for kind in UNRESTRICTED_VOLUMES
    ),
    ("appArmorProfile", "baseline", ctx(appArmorProfile={"type": "Unconfined"})),
    ("appArmorProfile", None, ctx(appArmorProfile={"type": "Localhost"})),
    *(("seLinuxOptions", "baseline", {"context": {"seLinuxOptions": o}}) for o in SELINUX_DENIED),
    ("seccompProfile_baseline", "baseline", {"context": {"seccompProfile": {"type": "Unconfined"}}}),
    ("seccompProfile_restricted", "restricted", {"context": {"seccompProfile": None}}),
    *(("sysctls", "baseline", sysctl(n)) for n in ("kernel.msgmax", "net.core.somaxconn", *SYSCTLS["1.37"])),
    *(("sysctls", None, sysctl(n)) for v in ("1.0", "1.27", "1.29", "1.32") for n in SYSCTLS[v]),
    ("windowsHostProcess", "baseline", {"context": WINDOWS}),
    ("runAsNonRoot", "restricted", {"context": {"runAsNonRoot": None}}),
    ("runAsNonRoot", "restricted", {"context": {"runAsNonRoot": False}}),
    ("runAsUser", "restricted", {"context": {"runAsUser": 0}}),
    ("runAsUser", None, {"context": {"runAsUser": 1}}),
]  # fmt: skip


def denied(level: str, since: str | None) -> bool:
    return since is not None and LEVELS.index(level) >= LEVELS.index(since)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("control", "since", "fields"), IN_A_CONTAINER)
def test_a_container_of_every_sort_in_every_kind(control: str, since: str | None, fields: dict[str, Any], level: str) -> None:
    inside = container(**fields)
    specs = {place: pod_spec(**({place: [inside]} if place != "containers" else {"containers": [inside]})) for place in LISTS}
    objects = [workload(kind, spec) for kind in KINDS for spec in specs.values()]
    found = [v for v in findings(*objects, safeguards="off", podSecurity=level) if not _of_storage(v.rule_id)]
    assert [v.document for v in found] == (list(range(len(objects))) if denied(level, since) else []), "one finding for each, or none"
    assert controls(*objects, podSecurity=level) <= {control}
    assert all("/containers/" in v.path or "Containers/" in v.path for v in found)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("control", "since", "fields"), IN_A_POD)
def test_a_pod_of_every_kind(control: str, since: str | None, fields: dict[str, Any], level: str) -> None:
    objects = [workload(kind, pod_spec(**fields)) for kind in KINDS]
    found = [v for v in findings(*objects, safeguards="off", podSecurity=level) if level != "privileged" or not _of_storage(v.rule_id)]
    assert [v.document for v in found] == (list(range(len(objects))) if denied(level, since) else []), "one finding for each, or none"


def _of_storage(rule_id: str) -> bool:
    """Rules about host paths hold at every level: the data is lost, whoever allows the mount."""
    return rule_id.startswith("AKS01")


def test_a_pod_that_breaks_nothing_is_silent_at_every_level() -> None:
    objects = [workload(kind, pod_spec()) for kind in KINDS]
    for level in LEVELS:
        assert findings(*objects, podSecurity=level, safeguards="enforce") == []


@pytest.mark.parametrize(
    ("control", "spec", "first", "last"),
    [
        ("hostProbesAndHostLifecycle", pod_spec(containers=[container(livenessProbe={"httpGet": {"port": 1, "host": "h"}})]), "1.34", None),
        ("seLinuxOptions", pod_spec({"seLinuxOptions": {"type": "container_engine_t"}}), "1.22", "1.30"),
        ("procMount", pod_spec(containers=[container({"procMount": "Unmasked"})], hostUsers=False), "1.22", "1.34"),
        ("procMount", pod_spec(containers=[container({"procMount": "Unmasked"})], hostUsers=True), "1.22", None),
        *(
            ("sysctls", pod_spec({"sysctls": [{"name": name, "value": "1"}]}), "1.22", before)
            for since, before in (("1.27", "1.26"), ("1.29", "1.28"), ("1.32", "1.31"), ("1.37", "1.36"))
            for name in SYSCTLS[since]
        ),
    ],
)
def test_what_depends_on_the_version_of_kubernetes(control: str, spec: dict[str, Any], first: str, last: str | None) -> None:
    minors = range(22, 39)
    flagged = [m for m in minors if control in controls(workload("Pod", spec), kubernetesVersion=f"1.{m}")]
    upper = int(last.split(".")[1]) if last else max(minors)
    assert flagged == [m for m in minors if int(first.split(".")[1]) <= m <= upper]


@pytest.mark.parametrize(("version", "relaxed"), [("1.34", False), ("1.35", True)])
def test_a_user_namespace_frees_a_pod_of_three_controls(version: str, relaxed: bool) -> None:
    for spec in (
        pod_spec({"runAsNonRoot": None}, hostUsers=False),
        pod_spec({"runAsNonRoot": False}, hostUsers=False),
        pod_spec({"runAsUser": 0}, hostUsers=False),
    ):
        assert (controls(workload("Pod", spec), podSecurity="restricted", kubernetesVersion=version) == set()) is relaxed


@pytest.mark.parametrize("version", ["1.34", "1.35"])
def test_restricted_masks_proc_in_user_namespaces_too(version: str) -> None:
    spec = pod_spec(containers=[container({"procMount": "Unmasked"})], hostUsers=False)
    assert controls(workload("Pod", spec), podSecurity="restricted", kubernetesVersion=version) == {"procMount"}


@pytest.mark.parametrize("own", ["RuntimeDefault", "Localhost", None])
def test_an_unconfined_pod_is_denied_whatever_its_containers_say(own: str | None) -> None:
    """Kubernetes looks at the pod's AppArmor profile and at the containers' each by itself (check_appArmorProfile.go)."""
    context = {"appArmorProfile": {"type": own}} if own else {}
    assert controls(workload("Pod", pod_spec({"appArmorProfile": {"type": "Unconfined"}}, [container(context)]))) == {"appArmorProfile"}


@pytest.mark.parametrize(("system", "free"), [("windows", True), ("linux", False)])
def test_a_node_selector_makes_a_pod_one_for_windows_too(system: str, free: bool) -> None:
    """So do the templates of Azure Policy (Azure/draft, allowed-seccomp-profiles); Kubernetes itself reads `os.name` alone."""
    spec = pod_spec({"seccompProfile": None}, containers=[container(securityContext=None)], nodeSelector={"kubernetes.io/os": system})
    spec.pop("initContainers")
    found = controls(workload("Deployment", spec), podSecurity="restricted")
    assert found == (set() if free else {"allowPrivilegeEscalation", "capabilities_restricted", "seccompProfile_restricted"})


def test_windows_pods_are_free_of_what_windows_has_not() -> None:
    bare = {"name": "c", "image": "c:1"}
    spec = {"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}, "containers": [bare]}
    assert controls(workload("Pod", spec), podSecurity="restricted") == set()
    linux = {**spec, "os": {"name": "linux"}}
    expected = {"allowPrivilegeEscalation", "seccompProfile_restricted", "capabilities_restricted"}
    assert controls(workload("Pod", linux), podSecurity="restricted") == expected
    assert controls(workload("Pod", {**spec, "securityContext": {}}), podSecurity="restricted") == {"runAsNonRoot"}


def test_containers_may_say_themselves_what_the_pod_does_not() -> None:
    own = container({"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
    spec = {"containers": [own], "initContainers": [own]}
    assert controls(workload("Pod", spec), podSecurity="restricted") == set()
    assert controls(workload("Pod", {**spec, "initContainers": [container()]}), podSecurity="restricted") == {
        "runAsNonRoot",
        "seccompProfile_restricted",
    }


@pytest.mark.parametrize(
    ("value", "flagged"), [("unconfined", True), ("runtime/default", False), ("localhost/p", False), ("", False), ("bogus", True)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_app_armor_annotations_of_the_pods(kind: str, value: str, flagged: bool) -> None:
    annotations = {"container.apparmor.security.beta.kubernetes.io/c": value}
    obj = workload(kind, pod_spec(), annotations=annotations)
    assert controls(obj) == ({"appArmorProfile"} if flagged else set())
    if kind != "Pod":
        outer = workload(kind, pod_spec())
        outer["metadata"]["annotations"] = annotations
        assert controls(outer) == set(), "annotations of the workload itself say nothing"


def test_the_place_is_the_field_or_its_nearest_parent() -> None:
    spec = {"containers": [{"name": "c", "image": "c:1"}]}
    places = {v.rule_id: v.path for v in findings(workload("CronJob", spec), podSecurity="restricted", safeguards="off")}
    base = "/spec/jobTemplate/spec/template/spec"
    assert places["AKS1012"] == places["AKS1016"] == f"{base}/containers/0"
    assert places["AKS1013"] == places["AKS1015"] == base
    (one,) = findings(workload("Pod", pod_spec(containers=[container({"privileged": True})])), safeguards="off")
    assert one.path == "/spec/containers/0/securityContext/privileged"
    assert "container c" in one.message


@pytest.mark.parametrize("text", ["${VALUE}", "%{VALUE}%"])
def test_values_that_are_filled_in_later_say_nothing(text: str) -> None:
    spec = pod_spec(
        {"seLinuxOptions": {"type": text}, "sysctls": [{"name": text, "value": "1"}]}, containers=[container({"procMount": text})]
    )
    assert controls(workload("Pod", spec)) == set()
