"""The panel in which a person lets the model learn from corrections and answers what it then proposes.

The learning itself is in `learning.py`.
"""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Int, List

from blood_lib.dashboard.review.learning import count_pairs, find_corrections, find_proposals
from blood_lib.dashboard.state import DashboardState, known
from blood_lib.dashboard.state.commands import Accept, Adapt, Dismiss, Forget, SaveBundle
from blood_lib.dashboard.widgets.markers import describe_types
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["LearningPanel"]


class LearningPanel(Widget):
    """How many corrections help, what is proposed from which type to which, and whether the model learnt."""

    _esm = script("review/learning_panel.js")
    accepts = ("adapt", "accept", "dismiss", "forget", "save")

    types: List[dict[str, Any]] = List().tag(sync=True)
    some = Bool(False, help="there are cells").tag(sync=True)
    corrections = Int(0, help="number of cells that can teach").tag(sync=True)
    pairs: List[list[int]] = List(help="[from, to, how many] of the proposals; types by their index").tag(
        sync=True
    )
    adapted = Bool(False).tag(sync=True)
    busy = Bool(False, help="something runs").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "learning")
        state.observe(state.guard(self._show), ["cells", "adapted", "progress"])

    def relabel(self) -> None:
        bundle = self.state.bundle
        self.types = describe_types(bundle, self.state.messages) if bundle else []
        self._show()

    def _show(self, _change: Any = None) -> None:
        state, names = self.state, self.state.bundle.names if self.state.bundle else []
        with self.hold_sync():
            self.some, self.busy, self.adapted = bool(state.cells), state.progress is not None, state.adapted
            self.corrections = len(find_corrections(state))
            self.pairs = [
                [names.index(before), names.index(after), n]
                for before, after, n in count_pairs(find_proposals(state))
            ]

    def _on_adapt(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Adapt()

    def _on_accept(self, content: Content, _buffers: Buffers) -> None:
        self._answer(Accept, content)

    def _on_dismiss(self, content: Content, _buffers: Buffers) -> None:
        self._answer(Dismiss, content)

    def _answer(self, kind: type[Accept | Dismiss], content: Content) -> None:
        """All proposals, or those of one `pair`, [from, to] by their index."""
        pair, proposals = content.get("pair"), find_proposals(self.state)
        if pair is not None:
            index = known(self.state.bundle).names.index
            proposals = [
                cell for cell in proposals if [index(cell.label), index(known(cell.proposal))] == pair
            ]
        if proposals:
            ids = tuple(cell.id for cell in proposals)
            self.state.command = Accept(ids, bulk=True) if kind is Accept else Dismiss(ids)

    def _on_forget(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Forget()

    def _on_save(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = SaveBundle()
