"""The steps around traffic: DNS of the day before, the tests, the switch, watching, the way back, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from shared.domain.inventory import Item
from shared.domain.report.cutover_commands import by_namespace, kubectl, resource, scale, suspend
from shared.domain.report.cutover_data import SCALED
from shared.domain.report.cutover_move import CONTAINERS_GATEWAY, Host, Move
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.escape import code, inline

ROLLED = ("Deployment", "StatefulSet", "DaemonSet")


def shorten(move: Move) -> Iterator[Step]:
    """A day before: caches must forget the old address quickly."""
    if not move.hosts:
        return
    lines = ["Lower the TTL of each record to 60 seconds. Write down what answers now, for the way back:", ""]
    lines += fenced(*(f"dig +noall +answer {h.probe}" for h in move.hosts))
    lines += ["Where a wildcard record of the old cluster answers, the host gets a record of its own later: nothing else moves with it."]
    yield Step("ttl", "Lower the TTL of the DNS records", lines)


def verify(move: Move) -> Iterator[Step]:
    """Before DNS moves: does the new place work?"""
    after = move.after
    rollouts = [i for i in after.running if i.kind in ROLLED and i.facts.get("replicas", 1) != 0]
    jobs = [i for i in after.of("Job") if i.containers and not i.facts.get("suspended")]
    claims = after.of("PersistentVolumeClaim")
    commands = [kubectl("AKS", n, f"rollout status {resource(i)} --timeout=10m") for n, group in by_namespace(rollouts) for i in group]
    commands += [
        kubectl("AKS", n, f"wait --for=condition=complete {resource(i)} --timeout=30m") for n, group in by_namespace(jobs) for i in group
    ]
    commands += [kubectl("AKS", n, f"get pvc {' '.join(i.name for i in group)}") for n, group in by_namespace(claims)]
    lines = fenced(*commands) if commands else []
    for entry in move.entries:
        lines += _ask(entry, [h for h in move.hosts if h.entry is entry])
    if any(h.entry for h in move.hosts):
        lines += ["Every host must answer as it does today, with its own certificate and without `-k`."]
    if lines:
        yield Step("verify", "Verify, before DNS moves", lines)


def _ask(entry: Item, hosts: Sequence[Host]) -> list[str]:
    private = " (a private address: ask from inside the network)" if entry.facts.get("internal") else ""
    ports = entry.facts.get("ports", ()) if entry.kind == "Service" else ()
    calls = [*(_curl(entry, host) for host in hosts), *(f'nc -vz "$ADDRESS" {port}' for port in ports)]
    return [f"{entry.kind} {inline(entry.name)}{private}:", "", *fenced(_address(entry), 'echo "$ADDRESS"', *calls)]


def _address(entry: Item) -> str:
    path = "{.status.addresses[0].value}" if entry.kind == "Gateway" else "{.status.loadBalancer.ingress[0].ip}"
    return f"ADDRESS=$({kubectl('AKS', entry.namespace, f'get {resource(entry)}')} -o jsonpath='{path}')"


def _curl(entry: Item, host: Host) -> str:
    scheme, port = ("https", 443) if host.tls else ("http", 80)
    named = entry.facts.get("class") == CONTAINERS_GATEWAY
    route = f'--connect-to "{host.probe}:{port}:$ADDRESS:{port}"' if named else f'--resolve "{host.probe}:{port}:$ADDRESS"'
    return f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {route} {quote(f'{scheme}://{host.probe}{_plain(host.path)}')}"


def _plain(path: str) -> str:
    """A path that can be asked for: patterns cannot."""
    return path if path.startswith("/") and path.isascii() and path.isprintable() and not set(path) & set("()[]{}^$|*+?\\` ") else "/"


def switch(move: Move) -> Iterator[Step]:
    """Record by record."""
    services = [e for e in move.entries if e.kind == "Service"]
    lines: list[str] = []
    if move.hosts:
        lines += ["One record at a time; after each, see that AKS answers.", "", "| Host | New record |", "|---|---|"]
        lines += [
            *(f"| {inline(h.name)} | {_target(h)} |" for h in move.hosts),
            "",
            *fenced(*(f"dig +short {h.probe}" for h in move.hosts)),
        ]
    if services:
        lines += [f"Whoever reaches these by address gets the new one (§verify§): {', '.join(inline(s.name) for s in services)}."]
    if lines:
        yield Step("switch", "Switch DNS" if move.hosts else "Give out the new addresses", lines)


def _target(host: Host) -> str:
    if host.entry is None:
        return "none yet: no object on AKS serves this host, see [report.md](report.md)"
    kind = "CNAME to" if host.entry.facts.get("class") == CONTAINERS_GATEWAY else "A,"
    return f"{kind} the address of {host.entry.kind} {inline(host.entry.name)} (§verify§)"


def resume(move: Move) -> Iterator[Step]:
    """Schedules run on AKS alone."""
    commands = suspend("AKS", move.new.scheduled, on=False)
    if commands:
        yield Step("resume", "Let the schedules run on AKS", fenced(*commands))


def watch(move: Move) -> Iterator[Step]:
    """The first hour."""
    spaces = dict.fromkeys(i.namespace for i in move.after.running)
    commands = [kubectl("AKS", n, words) for n in spaces for words in ("get pods", "get events --field-selector type=Warning")]
    lines = ["For an hour, and through the busiest time of the next day: restarts, Pending pods, warnings.", ""]
    yield Step("watch", "Watch", [*lines, *fenced(*commands)])


def roll_back(move: Move) -> Iterator[Step]:
    """The way back, in order."""
    lines: list[str] = []
    stop = [*suspend("AKS", move.new.scheduled, on=True), *(scale("AKS", move.new.scaled, 0) if move.pauses else [])]
    lines += ["AKS stops writing:", "", *fenced(*stop)] if stop else []
    lines += ["DNS gets the records back that were written down in §ttl§.", ""] if move.hosts else []
    databases = scale("OLD", move.old.databases) if move.pauses else []
    lines += ["The old databases start again, so that data can be carried back into them:", "", *fenced(*databases)] if databases else []
    if move.data.moves:
        lines += [
            "What users wrote on AKS is not on the old cluster. Either it is given up, or it is carried back now: the commands of §copy§"
        ]
        lines += ["with `OLD` and `AKS` exchanged. Settle before you begin who decides that.", ""]
    back = scale("OLD", move.old.scaled) if move.pauses else []
    back += suspend("OLD", move.old.scheduled, on=False)
    lines += ["The old cluster starts again:", "", *fenced(*back)] if back else []
    if move.pauses and (move.old.pods or move.old.daemons):
        named = ", ".join(f"{i.kind} {inline(i.name)}" for i in (*move.old.pods, *move.old.daemons))
        lines += [f"Apply the old manifests of these again: {named}.", ""]
    yield Step("back", "Roll back", lines or ["Nothing was taken from the old cluster: it still serves."])


def clean_up(move: Move) -> Iterator[Step]:
    """When nobody wants to go back any more."""
    lines = ["When a week has passed without trouble:", ""]
    lines += ["- Set the TTL of the records back to what it was."] if move.hosts else []
    lines += ["- Rotate the credentials that the old cluster knew, and revoke what deployed there."]
    if move.data.databases:
        lines += [f"- Delete the dumps ({', '.join(code(d.file) for d in move.data.databases)}): they hold the data in plain text."]
    old = [i for i in move.before.running if i.kind in (*SCALED, "DaemonSet", "CronJob")]
    if old:
        lines += ["- Remove what ran on the old cluster; its claims stay until their backup is proven:", ""]
        lines += fenced(*(kubectl("OLD", n, f"delete {' '.join(map(resource, group))}") for n, group in by_namespace(old)))
    yield Step("after", "Clean up", lines)
