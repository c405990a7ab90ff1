"""The names by which rule files call a conversion."""

from __future__ import annotations

from shared.domain.convert.base import Converter
from shared.domain.convert.build_config import build_config
from shared.domain.convert.deployment_config import deployment_config
from shared.domain.convert.image_triggers import image_triggers
from shared.domain.convert.ingress import ingress
from shared.domain.convert.ingress_route import ingress_route
from shared.domain.convert.network_policy import dns_peers, router_peers
from shared.domain.convert.references import reference_deployment_config, reference_removed_workload
from shared.domain.convert.removed_autoscaler import removed_autoscaler
from shared.domain.convert.removed_crd import removed_crd
from shared.domain.convert.removed_ingress import removed_ingress
from shared.domain.convert.removed_rbac import removed_rbac
from shared.domain.convert.removed_simple import (
    cronjob_zone,
    removed_cronjob,
    removed_disruption_budget,
    removed_endpoint_slice,
    removed_pod_security_policy,
    removed_priority_level,
    removed_simple,
)
from shared.domain.convert.removed_webhook import removed_webhook
from shared.domain.convert.removed_workload import removed_workload
from shared.domain.convert.route import route
from shared.domain.convert.serving_certificate import serving_certificate
from shared.domain.convert.template import template
from shared.domain.convert.traefik_tcp import ingress_route_raw

CONVERSIONS: dict[str, Converter] = {
    "route": route,
    "ingress": ingress,
    "ingress-route": ingress_route,
    "ingress-route-raw": ingress_route_raw,
    "deployment-config": deployment_config,
    "build-config": build_config,
    "router-peers": router_peers,
    "dns-peers": dns_peers,
    "template": template,
    "serving-certificate": serving_certificate,
    "image-triggers": image_triggers,
    "reference-deployment-config": reference_deployment_config,
    "reference-removed-workload": reference_removed_workload,
    "removed-api-workload": removed_workload,
    "removed-api-ingress": removed_ingress,
    "removed-api-hpa": removed_autoscaler,
    "removed-api-simple": removed_simple,
    "removed-api-rbac": removed_rbac,
    "removed-api-cronjob": removed_cronjob,
    "cronjob-zone": cronjob_zone,
    "removed-api-pdb": removed_disruption_budget,
    "removed-api-endpoint-slice": removed_endpoint_slice,
    "removed-api-priority-level": removed_priority_level,
    "removed-api-psp": removed_pod_security_policy,
    "removed-api-webhook": removed_webhook,
    "removed-api-crd": removed_crd,
}
