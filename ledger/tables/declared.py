"""What the books hold of all the streams that a hello declares, asked at once: there may be tens of thousands."""

from collections import defaultdict
from collections.abc import Sequence

from ledger.rules.custody import marks_for
from ledger.rules.family import Known
from ledger.tables.engine import Tables
from ledger.tables.streams import TablesStreams
from offline_queue.wire import Hello, Marks, StreamHead


class Declared:
    """As the books stood before this hello."""

    def __init__(self, tables: Tables, hello: Hello) -> None:
        self._terminal = hello.terminal
        self._branches: defaultdict[str, list[Known]] = defaultdict(list)
        streams, uids = TablesStreams(tables), {told.stream for told in hello.streams}
        held = streams.known(uids | {told.parent.stream for told in hello.streams if told.parent})
        for branch in held:
            self._branches[branch.uid].append(branch)
        places = [(branch, told.seq) for told in hello.streams for branch in self._own(told.stream)]
        self._hash_at = streams.hashes_at(held, places)

    def mark(self, uid: str) -> int:
        """How far a stream is held on any branch; of any terminal, for a till may have been given another name."""
        return max((branch.mark for branch in self._branches.get(uid, ())), default=0)

    def unheard(self, heads: Sequence[StreamHead]) -> list[StreamHead]:
        """Those of whose opening nobody has told yet."""
        return [head for head in heads if not any(branch.lane for branch in self._own(head.stream))]

    def marks(self, told: StreamHead, head: bytes, *, stable_on_commit: bool) -> Marks:
        """`head` is the hash of the till's last record; see custody.marks_for. A backup covers all branches of it."""
        branches = self._own(told.stream)
        accepted = marks_for(branches, told.seq, head, told.accepted, self._hash_at)
        covered = accepted if stable_on_commit else min((branch.stable for branch in branches), default=0)
        return Marks(accepted, covered)

    def _own(self, uid: str) -> list[Known]:
        return [branch for branch in self._branches.get(uid, ()) if branch.terminal == self._terminal]
