"""Labels for the null are other labels."""

from hypothesis import given
from hypothesis import strategies as st

from tools.shuffles import shuffled

WORDS = st.lists(st.sampled_from(["cat", "Cat", " cat. ", "dog", "DOG", "red  car", "red car", ""]))


@given(WORDS, st.integers(1, 5), st.integers(0, 9))
def test_no_label_comes_twice_and_never_the_own_one(pool, count, seed):
    names = [
        " ".join(one.casefold().split()).rstrip(".") for one in shuffled("cat", pool, count, seed)
    ]
    assert len(set(names)) == len(names) <= count
    assert not {"cat", ""} & set(names)


@given(st.permutations(["cat", "dog", "bus", "tree", "sea"]), st.integers(0, 9))
def test_the_pools_order_does_not_matter(pool, seed):
    assert shuffled("x", pool, 2, seed) == shuffled("x", sorted(pool), 2, seed)


def test_seeds_draw_different_labels():
    pool = [f"label {n}" for n in range(50)]
    assert len({shuffled("x", pool, 3, seed) for seed in range(20)}) > 10
