"""When a claim of the study holds, in part or not, against cases that can be worked out by hand."""

import pytest

pd = pytest.importorskip("pandas")

from blood_lib.study.notebooks import claims

HOLDS, PART, NOT, UNKNOWN = "holds", "holds in part", "does not hold", "nothing to judge by"


def row(accuracy=0.9, *, low=0.88, high=0.92, epochs=8, px=224, name="ResNet-18, imagenet", valid_loss=0.3):
    values = {"name": name, "epochs": epochs, "valid_loss": valid_loss, "n": 1000}
    return pd.Series(
        values | {"px": px, "accuracy": accuracy, "low": low, "high": high, "error_rate": 1 - accuracy}
    )


@pytest.mark.parametrize(("lowest", "verdict"), [(0.9, HOLDS), (0.6, PART), (0.4, NOT)])
def test_the_sample_that_is_worst_decides(lowest, verdict):
    claim = claims.claim_each_sample("so", pd.Series([0.95, lowest]), "of all", whole=0.8, part=0.5)
    assert claim.judge() == verdict
    assert claim.measured == f"{lowest:.2f} to 0.95 of all, in 2 samples"


@pytest.mark.parametrize(
    ("error", "imagenet", "verdict"),
    [
        (0.10, True, HOLDS),
        (0.09, True, HOLDS),
        (0.2, True, HOLDS),
        (0.07, True, NOT),
        (0.1, False, HOLDS),
        (0.07, False, UNKNOWN),
    ],
)
def test_an_error_is_reached_by_one_as_low_or_lower(error, imagenet, verdict):
    assert claims.claim_error(error, 8, row(), imagenet=imagenet).judge() == verdict


@pytest.mark.parametrize(
    ("epochs", "px", "failed"), [(9, 224, UNKNOWN), (10, 64, UNKNOWN), (10, 256, NOT), (12, 224, NOT)]
)
def test_who_has_less_than_the_study_had_may_reach_its_error_but_cannot_fail(epochs, px, failed):
    claim = claims.claim_error(0.07, 10, row(epochs=epochs, px=px), imagenet=True)
    assert claim.judge() == failed
    assert claim.says.startswith("ResNet-18 reaches") and "8.0%-12.0%" in claim.measured
    assert claims.claim_error(0.1, 10, row(epochs=epochs, px=px), imagenet=True).judge() == HOLDS


@pytest.mark.parametrize(("epochs", "px"), [(12, 224), (10, 256)])
def test_who_has_more_of_one_and_less_of_another_says_nothing_of_an_error(epochs, px):
    claim = claims.claim_error(0.1, 10, row(epochs=epochs, px=px), imagenet=False)
    assert claim.judge() == UNKNOWN


@pytest.mark.parametrize(
    ("longer", "verdict"), [(None, UNKNOWN), (row(0.95, low=0.93), HOLDS), (row(0.93, low=0.91), NOT)]
)
def test_under_fitted_is_what_more_epochs_make_better(longer, verdict):
    assert claims.claim_underfitted(row(), longer).judge() == verdict


@pytest.mark.parametrize(("claimed", "verdict"), [(0.91, HOLDS), (0.95, NOT), (0.85, NOT)])
def test_a_test_accuracy_holds_where_the_interval_has_it(claimed, verdict):
    claim = claims.claim_accuracy(claimed, row(), pd.Series([0.89, 0.91]))
    assert claim.judge() == verdict and "seeds 89.00%-91.00%" in claim.measured


@pytest.mark.parametrize(
    ("best_low", "worst_high", "worse", "verdict"),
    [(0.91, 0.9, 1, HOLDS), (0.93, 0.9, 2, NOT), (0.91, 0.915, 0, UNKNOWN)],
)
def test_a_rule_finds_the_rate_where_others_are_worse_and_none_better_beyond_doubt(
    best_low, worst_high, worse, verdict
):
    others = row(0.95, low=best_low, high=0.97, name="x: 1.0e-02"), row(0.88, low=0.85, high=worst_high)
    rates = pd.DataFrame([row(name="slide: 1.0e-03"), *others])
    claim = claims.claim_rate("slide", 1e-3, rates.set_index("name"))
    assert claim.judge() == verdict and f"the best, x: 1.0e-02, 95.0%; {worse} of 3 " in claim.measured


def test_more_epochs_mend_what_has_a_lower_loss_after_them():
    few, enough = row(epochs=1, valid_loss=0.9), row(epochs=8, valid_loss=0.4)
    assert claims.claim_longer(few, enough).judge() == HOLDS
    assert claims.claim_longer(few, row(epochs=8, valid_loss=1)).judge() == NOT
    assert claims.claim_longer(few, few).judge() == UNKNOWN


@pytest.mark.parametrize(
    ("spread", "seeds", "verdict"),
    [
        ((0.8, 0.7, 0.84), 3, HOLDS),
        ((0.8, 0.7, 0.9), 3, PART),
        ((0.86, 0.8, 0.9), 3, NOT),
        ((0.8, 0.7, 0.84), 2, UNKNOWN),
    ],
)
def test_what_hurts_is_worse_in_every_seed_or_at_least_on_average(spread, seeds, verdict):
    table = pd.DataFrame([(0.88, 0.85, 0.9), spread], columns=["mean", "lowest", "highest"])
    by_seed = table.assign(name=["none", "warp"], seeds=seeds).set_index("name")
    assert claims.claim_hurts("warp", by_seed).judge() == verdict


@pytest.mark.parametrize(
    ("without", "trained", "verdict"), [(50, 50, HOLDS), (50, 90, PART), (90, 90, NOT), (90, 50, NOT)]
)
def test_what_carries_the_class_cannot_be_done_without_even_when_it_was_trained(without, trained, verdict):
    counts = {("none", 0): [90, 80, without], ("none", 1): [92, 80, 50], ("zoom 2", 0): [90, 80, trained]}
    claim = claims.claim_carries("size", "twice as large", pd.DataFrame(counts, index=[1, 1.5, 2]), 100)
    assert claim.judge() == verdict
    assert "then twice as large; trained with none: 91.0%, then" in claim.measured


@pytest.mark.parametrize(
    ("errors", "low", "verdict"),
    [((9, 2), 0.4, HOLDS), ((3, 2), 0.2, PART), ((2, 3), 0.1, NOT), ((3,), 0.3, HOLDS)],
)
def test_a_pair_is_confused_most(errors, low, verdict):
    pairs = pd.DataFrame({"pair": ["b and neutrophil", "c and d"][: len(errors)], "errors": errors})
    assert claims.claim_confused_most(("neutrophil", "b"), pairs.assign(share_low=low)).judge() == verdict


def test_where_nothing_is_confused_nothing_is_confused_most():
    pairs = pd.DataFrame({"pair": [], "errors": [], "share_low": []})
    assert claims.claim_confused_most(("neutrophil", "b"), pairs).judge() == UNKNOWN


@pytest.mark.parametrize(
    ("same", "parted", "mixed"), [(0.96, HOLDS, NOT), (0.8, PART, NOT), (0.6, NOT, PART), (0.51, NOT, HOLDS)]
)
def test_neighbours_are_alike_or_not_by_how_far_they_are_from_chance(same, parted, mixed):
    assert claims.claim_parted("so", same, 0.5).judge() == parted
    assert claims.claim_mixed("not so", same, 0.5).judge() == mixed


def flags(*pairs):
    return pd.DataFrame(pairs, columns=["map_flags", "cleanlab_flags"], dtype=bool)


@pytest.mark.parametrize(
    ("pairs", "verdict"),
    [
        ([(1, 1), (1, 0)], HOLDS),
        ([(1, 1), (1, 0), (1, 0)], PART),
        ([(1, 0), (0, 1)], NOT),
        ([(0, 1)], UNKNOWN),
    ],
)
def test_doubts_are_good_where_both_audits_share_them(pairs, verdict):
    assert claims.claim_doubts(flags(*pairs)).judge() == verdict


@pytest.mark.parametrize(
    ("pairs", "verdict"),
    [
        ([(1, 1), (0, 0)], HOLDS),
        ([(1, 0), (0, 1)], PART),
        ([(1, 1), (1, 1)], NOT),
        ([(0, 0), (0, 0)], NOT),
        ([], UNKNOWN),
    ],
)
def test_of_an_image_with_two_labels_one_is_doubted(pairs, verdict):
    assert claims.claim_certain_label(flags(*pairs)).judge() == verdict


@pytest.mark.parametrize(
    ("cleaned", "images", "verdict"),
    [(0.97, 90, HOLDS), (0.94, 90, PART), (0.9, 90, NOT), (0.97, 100, UNKNOWN)],
)
def test_a_map_is_cleaner_than_after_any_random_cleaning(cleaned, images, verdict):
    names = {"map": ["all", "cleaned", "random 1", "random 2"], "images": [100, images, 90, 90]}
    cleaning = pd.DataFrame(names | {"same": [0.9, cleaned, 0.91, 0.92]})
    assert claims.claim_cleaner(cleaning).judge() == verdict


def test_what_the_study_says_is_told_from_what_it_assumes():
    pairs = pd.DataFrame({"pair": [], "errors": [], "share_low": []})
    said = [
        claims.claim_error(0.1, 8, row(), imagenet=True),
        claims.claim_underfitted(row()),
        claims.claim_accuracy(0.9, row(), pd.Series([0.9])),
        claims.claim_confused_most(("a", "b"), pairs),
    ]
    assumed = [
        claims.claim_longer(row(), row()),
        claims.claim_parted("so", 0.9, 0.5),
        claims.claim_mixed("so", 0.9, 0.5),
        claims.claim_doubts(flags((True, True))),
        claims.claim_certain_label(flags((True, True))),
    ]
    assert not any(claim.assumed for claim in said) and all(claim.assumed for claim in assumed)
