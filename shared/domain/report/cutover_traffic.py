"""The steps around traffic: DNS of the day before, the tests, the switch, watching, the way back, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from shlex import quote

from shared.domain.inventory import Item
from shared.domain.report.cutover_commands import by_namespace, kubectl, resource, scale, suspend
from shared.domain.report.cutover_copy import carry_back
from shared.domain.report.cutover_data import SCALED, claims
from shared.domain.report.cutover_hold import ROLLED, go, ready, stop
from shared.domain.report.cutover_move import CONTAINERS_GATEWAY, Host, Move
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.escape import code, inline


def shorten(move: Move) -> Iterator[Step]:
    """A day before: caches must forget the old address quickly."""
    if not move.hosts:
        return
    lines = ["Lower the TTL of each record to 60 seconds. Write down what answers now, for the way back, and how, to compare:", ""]
    lines += fenced(*(f"dig +noall +answer {h.probe}" for h in move.hosts), *(_curl(h) for h in move.hosts))
    lines += ["Where a wildcard record of the old cluster answers, the host gets a record of its own later: nothing else moves with it."]
    yield Step("ttl", "Lower the TTL of the DNS records", lines)


def verify(move: Move) -> Iterator[Step]:
    """Before DNS moves: does the new place work?"""
    after = move.after
    rollouts = [i for i in after.running if i.kind in ROLLED and i.facts.get("replicas", 1) != 0]
    jobs = [i for i in after.of("Job") if i.containers and not i.facts.get("suspended")]
    commands = [kubectl("AKS", n, f"rollout status {resource(i)} --timeout=10m") for n, group in by_namespace(rollouts) for i in group]
    commands += [
        kubectl("AKS", n, f"wait --for=condition=complete {resource(i)} --timeout=30m") for n, group in by_namespace(jobs) for i in group
    ]
    for namespace, group in groupby(claims(after), key=lambda c: c.namespace):
        commands.append(kubectl("AKS", namespace, f"get pvc {' '.join(c.name for c in group)}"))
    lines = fenced(*commands) if commands else []
    for entry in move.entries:
        hosts = move.hosts_of(entry)
        if hosts or not entry.facts.get("hosts"):
            lines += _ask(entry, hosts)
    if any(h.entry for h in move.hosts):
        lines += ["Every host must answer as it does today (§ttl§), with its own certificate and without `-k`."]
    if lines:
        yield Step("verify", "Verify, before DNS moves" if move.hosts else "Verify", lines)


def _ask(entry: Item, hosts: Sequence[Host]) -> list[str]:
    private = " (a private address: ask from inside the network)" if entry.facts.get("internal") else ""
    ports = entry.facts.get("ports", ()) if entry.kind == "Service" else ()
    calls = [*(_curl(host, _to(entry, host)) for host in hosts), *(f'nc -vz "$ADDRESS" {port}' for port in ports)]
    return [f"{entry.kind} {inline(entry.name)}{private}:", "", *fenced(_address(entry), 'echo "$ADDRESS"', *calls)]


def _address(entry: Item) -> str:
    path = "{.status.addresses[0].value}" if entry.kind == "Gateway" else "{.status.loadBalancer.ingress[0].ip}"
    return f"ADDRESS=$({kubectl('AKS', entry.namespace, f'get {resource(entry)}')} -o jsonpath='{path}')"


def _to(entry: Item, host: Host) -> str:
    """Options of curl by which the host is asked for at the new address, whatever DNS says."""
    port = 443 if host.tls else 80
    named = entry.facts.get("class") == CONTAINERS_GATEWAY
    return f'--connect-to "{host.probe}:{port}:$ADDRESS:{port}" ' if named else f'--resolve "{host.probe}:{port}:$ADDRESS" '


def _curl(host: Host, to: str = "") -> str:
    url = f"{'https' if host.tls else 'http'}://{host.probe}{_plain(host.path)}"
    return f"curl -sS -o /dev/null -w '%{{http_code}} %{{url_effective}}\\n' {to}{quote(url)}"


def _plain(path: str) -> str:
    """A path that can be asked for: patterns cannot."""
    return path if path.startswith("/") and path.isascii() and path.isprintable() and not set(path) & set("()[]{}^$|*+?\\` ") else "/"


def switch(move: Move) -> Iterator[Step]:
    """Record by record, and the point of no return."""
    services = [e for e in move.entries if e.kind == "Service"]
    lines: list[str] = []
    if move.hosts:
        lines += ["One record at a time; after each, see that AKS answers.", "", "| Host | New record |", "|---|---|"]
        lines += [f"| {inline(h.name)} | {_target(h)} |" for h in move.hosts]
        lines += ["", *fenced(*(f"dig +short {h.probe}" for h in move.hosts))]
    if services:
        lines += [f"Whoever reaches these by address gets the new one (§verify§): {', '.join(inline(s.name) for s in services)}."]
    if lines:
        yield Step("switch", "Switch DNS" if move.hosts else "Give out the new addresses", [*_last_chance(move), *lines])


def _last_chance(move: Move) -> list[str]:
    if not move.data.moves:
        return []
    return ["**Point of no return.** Until here, rolling back loses nothing that a user did. From the first write on AKS on, that write is",
            "lost or must be carried back (§back§). Go on only if everything in §verify§ was as it should be.", ""]  # fmt: skip


def _target(host: Host) -> str:
    if host.entry is None:
        return "none yet: no object on AKS serves this host, see [report.md](report.md)"
    kind = "CNAME to" if host.entry.facts.get("class") == CONTAINERS_GATEWAY else "A,"
    return f"{kind} the address of {host.entry.kind} {inline(host.entry.name)} (§verify§)"


def resume(move: Move) -> Iterator[Step]:
    """Schedules run on AKS alone."""
    commands = suspend("AKS", move.new.scheduled, on=False)
    asleep = [inline(i.name) for i in move.after.of("CronJob") if i.facts.get("suspended")]
    left = [f"Suspended in their manifests, and left so: {', '.join(asleep)}.", ""] if asleep else []
    if commands:
        yield Step("resume", "Let the schedules run on AKS", [*fenced(*commands), *left])


def watch(move: Move) -> Iterator[Step]:
    """The first hour."""
    spaces = dict.fromkeys(i.namespace for i in move.after.running) or dict.fromkeys(move.namespaces)
    commands = [kubectl("AKS", n, words) for n in spaces for words in ("get pods", "get events --field-selector type=Warning")]
    lines = ["For an hour, and through the busiest time of the next day: restarts, Pending pods, warnings.", ""]
    yield Step("watch", "Watch", [*lines, *(fenced(*commands) if commands else [])])


def roll_back(move: Move) -> Iterator[Step]:
    """The way back, in order."""
    halt = stop("AKS", move.after, move.new) if move.pauses else suspend("AKS", move.new.scheduled, on=True)
    lines = ["AKS stops writing:", "", *fenced(*halt)] if halt else []
    lines += ["DNS gets the records back that were written down in §ttl§.", ""] if move.hosts else []
    databases = scale("OLD", move.old.databases) if move.pauses else []
    if databases:
        lines += ["The old databases start again, as they were at the last dump:", "", *fenced(*databases, *ready("OLD", move.old))]
    lines += [*carry_back(move), *_old_again(move)]
    yield Step("back", "Roll back", lines or ["Nothing was taken from the old cluster: it still serves."])


def _old_again(move: Move) -> list[str]:
    back = [*(go("OLD", move.before, move.old) if move.pauses else []), *suspend("OLD", move.old.scheduled, on=False)]
    lines = ["The old cluster starts again:", "", *fenced(*back)] if back else []
    if move.pauses and move.old.pods:
        named = ", ".join(inline(i.name) for i in move.old.pods)
        lines += [f"Apply the old manifests of these pods again: {named}.", ""]
    return lines


def clean_up(move: Move) -> Iterator[Step]:
    """When nobody wants to go back any more."""
    lines = ["When a week has passed without trouble:", ""]
    lines += ["- Set the TTL of the records back to what it was."] if move.hosts else []
    lines += ["- Rotate the credentials that the old cluster knew, and revoke what deployed there."]
    kept = [inline(i.name) for i in move.after.of("StatefulSet") if i.facts.get("deletesClaims")]
    if kept and move.pauses:
        lines += [f"- StatefulSets that were told to keep their claims: {', '.join(kept)}. Applying the manifests again takes that back."]
    if move.data.databases:
        lines += [f"- Delete the dumps ({', '.join(code(d.file) for d in move.data.databases)}): they hold the data in plain text."]
    old = [i for i in move.before.running if i.kind in (*SCALED, "DaemonSet", "CronJob")]
    if old:
        stay = "; its claims stay until their backup is proven" if claims(move.before) else ""
        lines += [f"- Remove what ran on the old cluster{stay}:", ""]
        lines += fenced(*(kubectl("OLD", n, f"delete {' '.join(map(resource, group))}") for n, group in by_namespace(old)))
    yield Step("after", "Clean up", lines)
