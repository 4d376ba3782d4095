"""Deadlines: each runs once, in order, can be moved, and no failure stops the others."""

from __future__ import annotations

from tertulia_sfu.rooms.timers import DeadlineQueue


def test_due_actions_run_in_order_and_once() -> None:
    queue, done = DeadlineQueue(), []
    for at in (3.0, 1.0, 2.0):
        queue.set(("t", str(at)), at, lambda _now, at=at: done.append(at))
    assert queue.next_at() == 1.0
    queue.run_due(2.5)
    queue.run_due(2.5)
    assert done == [1.0, 2.0]
    assert queue.next_at() == 3.0


def test_setting_again_moves_and_cancelling_removes() -> None:
    queue, done = DeadlineQueue(), []
    queue.set(("a",), 1.0, lambda _now: done.append("old"))
    queue.set(("a",), 2.0, lambda _now: done.append("new"))
    queue.set(("b",), 1.5, lambda _now: done.append("b"))
    queue.cancel(("b",))
    queue.cancel(("unknown",))
    assert queue.next_at() == 2.0
    queue.run_due(9.0)
    assert done == ["new"]
    assert queue.next_at() is None


def test_the_owner_is_woken_when_the_next_time_changes() -> None:
    wakes: list[float | None] = []
    queue = DeadlineQueue(lambda: wakes.append(queue.next_at()))
    queue.set(("later",), 5.0, lambda _now: None)
    queue.set(("latest",), 9.0, lambda _now: None)
    queue.set(("soon",), 1.0, lambda _now: None)
    assert wakes == [5.0, 1.0]


def test_a_failure_does_not_stop_the_rest() -> None:
    queue, done = DeadlineQueue(), []
    queue.set(("bad",), 1.0, lambda _now: done[5])
    queue.set(("good",), 1.0, lambda _now: done.append("good"))
    queue.run_due(1.0)
    assert done == ["good"]


def test_an_action_may_set_the_next() -> None:
    queue, done = DeadlineQueue(), []

    def tick(now: float) -> None:
        done.append(now)
        if len(done) < 3:
            queue.set(("tick",), now + 1, tick)

    queue.set(("tick",), 1.0, tick)
    for now in (1.0, 2.0, 3.0, 4.0):
        queue.run_due(now)
    assert done == [1.0, 2.0, 3.0]
