"""What is put into words only when it is read behaves as the tuple it stands for, and is written once."""

from __future__ import annotations

import pickle

from correlation.assessment import WhenRead


def test_it_is_the_tuple_it_stands_for() -> None:
    later = WhenRead(lambda: ("a", "b", "c"))
    assert (later[0], later[1:], len(later), list(later)) == ("a", ("b", "c"), 3, ["a", "b", "c"])
    assert later == ("a", "b", "c")
    assert later == WhenRead(lambda: ("a", "b", "c"))
    assert later != ["a", "b", "c"]
    assert (hash(later), repr(later)) == (hash(("a", "b", "c")), "('a', 'b', 'c')")
    assert pickle.loads(pickle.dumps(later)) == ("a", "b", "c")


def test_it_is_written_once() -> None:
    written: list[int] = []

    def write() -> tuple[int, ...]:
        written.append(1)
        return (1, 2)

    later = WhenRead(write)
    assert written == []
    assert list(later) == list(later)
    assert written == [1]
