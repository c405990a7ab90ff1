"""A file as the rules leave it, while a model's repairs are tried on it: the Thinker proposes them here, the Patcher proves them again.

Each violation that is left is known by its place in the original; a repair before it may have moved the place, so the bench
follows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.advice import Snippet
from shared.domain.convert.base import Op
from shared.domain.errors import ProofFailed, ValidationError
from shared.domain.inspector import inspect, manifest_of
from shared.domain.llm.case import Case, open_case
from shared.domain.llm.grounding import invented
from shared.domain.llm.limits import offences
from shared.domain.llm.trial import Prove, prover
from shared.domain.model import ModelRepair, PatchOperation, Violation
from shared.domain.plan import UnitKey
from shared.domain.pointer import nearest
from shared.domain.run import RunSetup, SourceFile
from shared.domain.thinker import LeftPlace
from shared.domain.worksheet import Worksheet

MOVED = "The finding is not there any more, or no model may be asked about it by now."


class Bench:
    """`file` has the bytes as they are by now; `places` say where violations stood before the first repair."""

    def __init__(self, file: SourceFile, places: Mapping[UnitKey, LeftPlace], setup: RunSetup) -> None:
        self.file, self.places, self.setup = file, places, setup
        self._sheet = Worksheet(manifest_of(file))
        self._found: tuple[Violation, ...] | None = None

    def askable(self) -> list[UnitKey]:
        """What a model may be asked about, in the order of documents, places and rules."""
        return sorted((k for k, place in self.places.items() if place.askable), key=lambda k: (k[1], k[2], k[0]))

    def violation(self, key: UnitKey) -> Violation | None:
        """A violation at its place by now; None where it is gone."""
        place = self.places[key]
        home = place.document, nearest(self._sheet.originals[place.document], place.pointer)
        if self._found is None:
            self._found = inspect(self.file, self.setup).violations
        for found in self._found:
            if found.rule_id == key[0] and self._sheet.origin(self._sheet.documents[found.document], found.path) == home:
                return found
        return None

    def case(self, key: UnitKey, snippets: Sequence[Snippet] = (), hosts: Sequence[str] = ()) -> tuple[Case, Prove]:
        """A violation made ready, and its proof. Raises ValidationError where it is gone or no model may be asked."""
        violation = self.violation(key) if key in self.places else None
        if violation is None:
            raise ValidationError(MOVED)
        return open_case(self.file, violation, self.setup, snippets, hosts), prover(self.file, violation, self.setup)

    def proven(self, repair: ModelRepair) -> bytes:
        """The bytes with a repair that came from elsewhere, after every check that needs no model. Raises EditRefused or ProofFailed."""
        try:
            case, prove = self.case(repair.key, repair.grounds)
        except ValidationError as error:
            raise ProofFailed(str(error)) from error
        inside = [Op(o.op, o.path.removeprefix(case.prefix), o.value) for o in repair.operations]
        found = _strayed(repair, case) or offences(case.obj, inside, case.allowed) or invented(case, inside)
        if found:
            raise ProofFailed(" ".join(found))
        return prove(repair.operations)

    def take(self, operations: Sequence[PatchOperation], data: bytes) -> None:
        """Go on with a proven repair."""
        self._sheet.change(operations)
        self.file, self._found = SourceFile(self.file.path, data), None


def _strayed(repair: ModelRepair, case: Case) -> list[str]:
    """Operations that are not of a model, or of another rule or object."""
    marked = all((o.origin, o.disposition, o.rule_id) == ("llm", "unsafe", repair.rule_id) for o in repair.operations)
    inside = all(o.path.startswith(f"{case.prefix}/") for o in repair.operations)
    return [] if marked and inside and not case.questions else ["The operations are not those of a model's repair of this finding."]
