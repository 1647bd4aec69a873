"""The linearizability checker itself: histories with a known verdict."""

import random

import pytest

from linearize import NEVER, Call, linearization, shortest_unexplained

ROWS = [
    ("a read during a write may see the new value", True,
     [Call("write", "a", True, 0, 10), Call("read", None, "a", 1, 2)]),
    ("a read after a write must see it", False,
     [Call("write", "a", True, 0, 1), Call("read", None, None, 2, 3)]),
    ("two reads during one write must not go back", False,
     [Call("write", "a", True, 0, 10), Call("read", None, "a", 1, 2), Call("read", None, None, 3, 4)]),
    ("an unanswered write may take effect late", True,
     [Call("write", "a", None, 0, NEVER), Call("read", None, None, 5, 6), Call("read", None, "a", 7, 8)]),
    ("an unanswered write may never take effect", True,
     [Call("write", "a", None, 0, NEVER), Call("read", None, None, 5, 6)]),
    ("only one of two equal swaps can win", False,
     [Call("write", "a", True, 0, 1), Call("cas", ("a", "b"), True, 2, 5), Call("cas", ("a", "c"), True, 2, 5)]),
    ("one wins and one loses", True,
     [Call("write", "a", True, 0, 1), Call("cas", ("a", "b"), True, 2, 5), Call("cas", ("a", "c"), False, 2, 5),
      Call("read", None, "b", 6, 7)]),
    ("a swap that lost without a reason", False,
     [Call("write", "a", True, 0, 1), Call("cas", ("a", "b"), False, 2, 3)]),
    ("create-if-absent after a delete", True,
     [Call("write", "a", True, 0, 1), Call("delete", None, True, 2, 3), Call("cas", (None, "b"), True, 4, 5)]),
    ("a lost update", False,
     [Call("write", "a", True, 0, 1), Call("write", "b", True, 2, 3), Call("read", None, "a", 4, 5)]),
    ("a delete that found nothing though the tag was there", False,
     [Call("write", "a", True, 0, 1), Call("delete", None, False, 2, 3)]),
]


@pytest.mark.parametrize("why, fits, history", ROWS, ids=[row[0] for row in ROWS])
def test_verdict_is_known(why, fits, history):
    assert (linearization(history) is not None) == fits, why


def random_history(seed: int, count: int) -> list[Call]:
    """Made from a real order of instants, so it is linearizable by construction."""
    rng, state, history = random.Random(seed), None, []
    for instant in range(count):
        kind = rng.choice(("read", "write", "cas", "delete"))
        argument, result = None, True
        if kind == "read":
            result = state
        elif kind == "write":
            argument = state = f"v{instant}"
        elif kind == "delete":
            result, state = state is not None, None
        else:
            expected = rng.choice((state, "other"))
            result = expected == state
            argument = (expected, f"v{instant}")
            state = argument[1] if result else state
        history.append(Call(kind, argument, result, instant - rng.random() * 3, instant + rng.random() * 3))
    return history


@pytest.mark.parametrize("seed", range(20))
def test_true_histories_pass_and_spoiled_ones_fail(seed):
    history = random_history(seed, 120)
    assert linearization(history) is not None
    spoiled = history + [Call("write", "last", True, 200, 201), Call("read", None, "v0", 202, 203)]
    assert linearization(spoiled) is None
    assert shortest_unexplained(spoiled)[-1].argument in ("last", None)
