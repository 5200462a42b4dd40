"""Corrections teach the model: it proposes, people accept or not, take it back, or have it forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from blood_lib.dashboard.app import App
from blood_lib.dashboard.review.learning import count_pairs, find_corrections, find_proposals
from blood_lib.dashboard.state.commands import (
    Accept,
    Adapt,
    Command,
    Confirm,
    Dismiss,
    Forget,
    Move,
    OpenReview,
    Redo,
    SaveReview,
    Undo,
)
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.inference import Classifier
from tests.dashboard.review.test_saving import do
from tests.tools.dashboard_tools import classify, listen, say
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode

NAMES = list(COLOURS)
N_CORRECTIONS = 12


def noisy(colour: str, rng: np.random.Generator) -> bytes:
    pixels = 0.4 * np.asarray(draw_cell(colour)) + rng.normal(90, 60, (64, 60, 3))
    return encode(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    """24 cells of three colours; a person who calls each colour by the next one's name has corrected half."""
    app, rng = App(tiny_classifier), np.random.default_rng(0)
    classify(app, [(f"{name} {i}", noisy(COLOURS[name], rng)) for i in range(8) for name in NAMES])
    for cell in app.state.cells[:N_CORRECTIONS]:
        wanted = NAMES[(NAMES.index(cell.name.split()[0]) + 1) % 3]
        do(app, Move((cell.id,), wanted))
    return app


def labels(app: App) -> list[str]:
    return [cell.label for cell in app.state.cells]


def test_nothing_changes_before_somebody_accepts(app: App) -> None:
    before = labels(app)
    do(app, Adapt())
    assert app.state.proposals == len(find_proposals(app.state)) > 0
    assert labels(app) == before and not app.state.adapted
    do(app, Dismiss())
    assert app.state.proposals == 0 and labels(app) == before and not app.state.adapted


def test_what_is_accepted_is_done_and_can_be_undone(app: App) -> None:
    before = labels(app)
    do(app, Adapt())
    proposed = {cell.id: cell.proposal for cell in find_proposals(app.state)}
    do(app, Accept())
    assert app.state.adapted and app.state.proposals == 0
    for cell, label in zip(app.state.cells, before, strict=True):
        assert cell.label == proposed.get(cell.id, label)
        assert cell.result.label == cell.label or cell.id not in proposed
    do(app, Undo())
    assert labels(app) == before


@pytest.mark.parametrize("command", [Accept(), Dismiss(), Forget(), Adapt()])
def test_undo_leads_back_to_exactly_what_was_before_an_answer(app: App, command: Command) -> None:
    state = app.state
    do(app, Adapt())
    do(app, Accept((find_proposals(state)[0].id,)))
    before = (state.cells, state.lesson, state.classifier, state.base, state.adapted, state.proposals)
    do(app, command)
    after = (state.cells, state.lesson, state.classifier, state.base, state.adapted, state.proposals)
    do(app, Undo())
    assert (state.cells, state.lesson, state.classifier, state.base, state.adapted, state.proposals) == before
    do(app, Redo())
    assert (state.cells, state.lesson, state.classifier, state.base, state.adapted, state.proposals) == after


def test_what_was_accepted_in_bulk_or_undone_teaches_nothing(app: App) -> None:
    corrections = find_corrections(app.state)
    do(app, Adapt())
    do(app, Accept())
    assert find_corrections(app.state) == corrections
    do(app, Undo())
    assert find_corrections(app.state) == corrections
    one = find_proposals(app.state)[0].id
    do(app, Accept((one,)))
    assert [cell.id for cell in find_corrections(app.state)] == [*(cell.id for cell in corrections), one]


def test_what_was_accepted_in_bulk_is_no_persons_word_until_a_person_confirms_it(app: App) -> None:
    do(app, Adapt())
    first, *others = find_proposals(app.state)
    say(app.classification.learning_panel, kind="accept")
    assert {app.state.cell(cell.id).decided for cell in (first, *others)} == {"bulk"}
    do(app, Confirm((first.id,)))
    assert app.state.cell(first.id).decided == "person"
    do(app, Undo())
    assert app.state.cell(first.id).decided == "bulk"


def test_what_was_dismissed_stays_as_it_is_when_the_rest_is_accepted(app: App) -> None:
    do(app, Adapt())
    first, *others = find_proposals(app.state)
    do(app, Dismiss((first.id,)))
    do(app, Accept())
    assert app.state.adapted and others
    kept = app.state.cell(first.id)
    assert kept.label == first.label and kept.result is first.result


def test_a_person_who_answers_by_hand_is_not_overruled(app: App) -> None:
    do(app, Adapt())
    first, *others = find_proposals(app.state)
    do(app, Move((first.id,), first.label))
    assert app.state.proposals == len(others)
    do(app, Accept())
    kept = app.state.cell(first.id)
    assert kept.label == first.label and kept.result is first.result


def test_probabilities_are_the_learnt_models_but_for_what_was_reviewed(app: App) -> None:
    old = {cell.id: cell.result for cell in app.state.cells}
    do(app, Adapt())
    do(app, Accept())
    reviewed, rest = app.state.cells[:N_CORRECTIONS], app.state.cells[N_CORRECTIONS:]
    assert all(cell.result is old[cell.id] for cell in reviewed)
    features = np.stack([cell.result.features for cell in rest])
    probs, _, status = app.state.classifier.predict_features(features)
    np.testing.assert_array_equal(np.stack([cell.result.probs for cell in rest]), probs)
    assert [cell.status for cell in rest] == status


def test_proposals_are_answered_pair_by_pair(app: App) -> None:
    do(app, Adapt())
    pairs = count_pairs(find_proposals(app.state))
    panel = app.classification.learning_panel
    before, after, n = pairs[0]
    assert panel.pairs[0] == [NAMES.index(before), NAMES.index(after), n]
    total = app.state.proposals
    say(panel, kind="accept", pair=panel.pairs[0][:2])
    assert app.state.proposals == total - n and app.state.adapted
    say(panel, kind="dismiss")
    assert app.state.proposals == 0


def test_a_proposal_is_answered_where_the_cell_is_looked_at(app: App) -> None:
    do(app, Adapt())
    first, second, *others = find_proposals(app.state)
    assert others
    say(app.viewer, kind="accept")  # none is looked at, and so none is meant
    assert app.state.proposals == 2 + len(others)
    app.state.current = first.id
    assert app.viewer.cell["proposal"] == NAMES.index(first.proposal)
    heat = app.viewer.heat
    say(app.viewer, kind="accept")
    assert app.state.cell(first.id).label == first.proposal and app.state.adapted
    assert app.viewer.cell["proposal"] is None
    assert app.viewer.heat != heat  # what spoke for the one type is not what speaks for the other
    app.state.current = second.id
    say(app.viewer, kind="dismiss")
    assert app.state.cell(second.id).label == second.label and not app.state.cell(second.id).reviewed
    assert app.state.proposals == len(others)


def test_the_gallery_is_told_which_cells_have_a_proposal(app: App) -> None:
    say(app.classification.gallery, kind="hello")
    heard = listen(app.classification.gallery)
    do(app, Adapt())
    told = {item[0] for message in heard for item in message.content["items"] if item[-1]}
    assert told == {cell.id for cell in find_proposals(app.state)}


def test_what_was_learnt_can_be_forgotten(app: App, tiny_classifier: Classifier) -> None:
    do(app, Adapt())
    do(app, Accept())
    do(app, Forget())
    assert not app.state.adapted and app.state.classifier is tiny_classifier
    unreviewed = [cell for cell in app.state.cells if not cell.reviewed]
    found = tiny_classifier.predict_features(np.stack([cell.result.features for cell in unreviewed]))[0]
    np.testing.assert_array_equal(np.stack([cell.result.probs for cell in unreviewed]), found)


def test_edited_ranges_and_cells_survive_learning(app: App) -> None:
    app.state.ranges = {"red": (1.0, 2.0)}
    do(app, Adapt())
    do(app, Accept())
    assert app.state.ranges == {"red": (1.0, 2.0)} and len(app.state.cells) == 24


def test_a_heat_map_is_looked_for_again(app: App) -> None:
    do(app, Adapt())
    do(app, Accept())
    cell = app.state.cells[-1]
    assert cell.result.cams is None
    app.state.current = cell.id
    assert app.viewer.heat.startswith(b"\x89PNG")


def test_without_corrections_there_is_nothing_to_learn(tiny_classifier: Classifier, capfd) -> None:
    app = App(tiny_classifier)
    do(app, Adapt())
    assert app.state.error == Sentence("learning.none")


def test_cells_without_images_teach_too(app: App) -> None:
    do(app, SaveReview(False))
    do(app, OpenReview(app.state.download.content))
    do(app, Adapt())
    assert app.state.proposals > 0 and not app.state.error
