"""The trace of one run as Application Insights gets it: development host, Azurite and the real exporter; its other side is ours."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from funchost_harness import wait_until
from http_support import Handler, Server
from test_pipeline_host import azurite, context, serve, upload  # noqa: F401 - fixtures

from funchost.azurite import Azurite
from shared import telemetry
from shared.pipeline.context import Context

QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
CLAIM = b"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: d}\nspec:\n  storageClassName: local-path\n"


class Ingestion(Server):
    """Takes what exporters post; `items` are their envelopes."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        seen = self

        class Receiver(Handler):
            def do_POST(self) -> None:
                data, headers = self.sent(), self.names()
                found = json.loads(gzip.decompress(data) if headers.get("content-encoding") == "gzip" else data)
                seen.items += found
                body = json.dumps({"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(Receiver)

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:{self.port}/"

    def kinds(self) -> set[str]:
        return {item["data"]["baseType"] for item in list(self.items)}

    def spans(self) -> list[dict[str, Any]]:
        """{"name", "id", "parent", "trace"} and the attributes of each span."""
        found = [(item["tags"], item["data"]["baseData"]) for item in list(self.items) if "name" in item["data"]["baseData"]]
        ids = [(base, tags.get("ai.operation.parentId"), tags["ai.operation.id"]) for tags, base in found]
        return [{"name": b["name"], "id": b["id"], "parent": above, "trace": trace} | b.get("properties", {}) for b, above, trace in ids]

    def metrics(self) -> set[str]:
        """Their names."""
        found = [item["data"]["baseData"] for item in list(self.items) if item["data"]["baseType"] == "MetricData"]
        return {base["metrics"][0]["name"] for base in found}


def test_a_run_arrives_as_one_tree_and_nothing_else_does(azurite: Azurite, context: Context, tmp_path: Path) -> None:  # noqa: F811
    with Ingestion() as taken, serve(azurite, tmp_path, APPLICATIONINSIGHTS_CONNECTION_STRING=taken.connection_string, **QUICK):
        upload(context, {"claim.yaml": CLAIM})
        finish = wait_until(lambda: next((s for s in taken.spans() if s["name"] == "finish"), None), "the join was exported", 60)
        wait_until(lambda: telemetry.RUNS.name in taken.metrics(), "metrics were exported")
        wait_until(lambda: any(s["id"] == finish["parent"] for s in taken.spans()), "the span above was exported")

    by_id = {span["id"]: span for span in taken.spans() if span["trace"] == finish["trace"]}
    path, at = [finish["name"]], finish
    while at["parent"] and at["parent"] in by_id:
        at = by_id[at["parent"]]
        path.append(at["name"])
    stages = ["process intake", "process inspections", "process violations", "process patches", "process reports"]
    assert path[::-1] == ["upload", *stages, "finish"]
    assert {span["outcome"] for span in by_id.values() if span["name"].startswith("process")} == {"done"}
    assert taken.kinds() == {"RequestData", "RemoteDependencyData", "MetricData"}  # no log lines: the host forwards them
    ours = {metric.name for metric in telemetry.METRICS}
    assert taken.metrics() - ours == {"_OTELRESOURCE_"}  # where it comes from; nothing that other libraries would measure
    assert {span["name"].split(" ")[0] for span in taken.spans()} <= {"upload", "process", "finish", "joined", "sweep"}
