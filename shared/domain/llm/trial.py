"""Proof in memory of a model's operations: the editor's, the schema's, the rules' and the references of the run (DESIGN 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.domain import editor
from shared.domain.consistency import State, as_they_came, broken, entries_of
from shared.domain.errors import ProofFailed
from shared.domain.inspector import facts_of, inspect, manifest_of
from shared.domain.model import PatchOperation, Violation
from shared.domain.proofs import prove_quiet, prove_schema
from shared.domain.run import RunSetup, SourceFile
from shared.domain.thinker import propose

Prove = Callable[[Sequence[PatchOperation]], bytes]
"""The file's new bytes. Raises EditRefused or ProofFailed with the precise reason."""


def prover(file: SourceFile, violation: Violation, setup: RunSetup) -> Prove:
    """What proves operations that are to mend one violation of a file as it is now, and nothing else."""

    def prove(operations: Sequence[PatchOperation]) -> bytes:
        manifest, facts, found = manifest_of(file), facts_of(setup), inspect(file, setup)
        after = editor.apply_operations(manifest, operations)
        proven = editor.prove(manifest, operations, after)
        prove_schema(manifest, proven, facts.typed_target.kubernetes_version)
        mended = tuple(v.resolved("fixed") if v.key == violation.key else v for v in found.violations)
        prove_quiet(found.violations, mended, proven, facts)
        _prove_settled(file, after, setup)
        _prove_references(file, after, setup)
        return after

    return prove


def _prove_settled(file: SourceFile, after: bytes, setup: RunSetup) -> None:
    """The rules want to change nothing that they did not want to change before."""
    again = SourceFile(file.path, after)
    wanted = {o.rule_id for o in propose(file, inspect(file, setup), setup).operations}
    more = [o for o in propose(again, inspect(again, setup), setup).operations if o.rule_id not in wanted]
    if more:
        raise ProofFailed(f"{more[0].rule_id} would change the result again.")


def _prove_references(file: SourceFile, after: bytes, setup: RunSetup) -> None:
    """No reference of the run that held before dangles afterwards."""
    answers = facts_of(setup).decision
    others = [e for e in as_they_came(setup.index).entries if e.file != file.path]
    states = [State([*others, *entries_of(file.path, data, answers)]) for data in (file.data, after)]
    found = broken(*states)
    if found:
        raise ProofFailed(f"afterwards, {found[0].describe()}.")
