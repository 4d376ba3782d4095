from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia_recorder.drawing.layout import MAX_TILES, Rect, Size, TileKind, arrange, contain
from tertulia_recorder.ids import Identity
from tertulia_recorder.scene import Participant, TrackSid

HD = Size(1280, 720)
sizes = st.sampled_from([HD, Size(1920, 1080), Size(640, 360)])


def participants(count: int, *, sharing: int = 0) -> list[Participant]:
    return [
        Participant(
            Identity(f"p{n:02}"),
            f"Person {n}",
            join_order=n,
            camera=TrackSid(f"c{n}"),
            screen=TrackSid(f"s{n}") if n < sharing else None,
            screen_since_s=float(n),
        )
        for n in range(count)
    ]


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 3), sizes)
def test_tiles_are_inside_even_and_apart(count: int, sharing: int, size: Size):
    tiles = arrange(participants(count, sharing=sharing), size)
    for rect in (tile.rect for tile in tiles):
        assert rect.x >= 0
        assert rect.y >= 0
        assert rect.x + rect.w <= size.w
        assert rect.y + rect.h <= size.h
        assert all(n % 2 == 0 for n in (rect.x, rect.y, rect.w, rect.h))
        assert rect.w > 0
        assert rect.h > 0
    assert not any(overlap(a.rect, b.rect) for a, b in combinations(tiles, 2))


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 3))
def test_each_participant_has_a_tile_up_to_the_limit(count: int, sharing: int):
    tiles = arrange(participants(count, sharing=sharing), HD)
    assert len([t for t in tiles if t.kind is TileKind.CAMERA]) == min(count, MAX_TILES)
    assert len([t for t in tiles if t.kind is TileKind.SCREEN]) == (1 if sharing and count else 0)


@settings(deadline=None)
@given(st.integers(1, 25), sizes)
def test_grid_tiles_are_equal_and_wide(count: int, size: Size):
    rects = [t.rect for t in arrange(participants(count), size)]
    assert len({(r.w, r.h) for r in rects}) == 1
    assert abs(rects[0].w / rects[0].h - 16 / 9) < 0.05


def test_one_fills_the_picture_two_are_side_by_side_and_four_share_it_in_quarters():
    assert [t.rect for t in arrange(participants(1), HD)] == [Rect(0, 0, 1280, 720)]
    assert [t.rect for t in arrange(participants(2), HD)] == [Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)]
    assert [t.rect for t in arrange(participants(4), HD)] == [
        Rect(0, 0, 640, 360),
        Rect(640, 0, 640, 360),
        Rect(0, 360, 640, 360),
        Rect(640, 360, 640, 360),
    ]


@settings(deadline=None)
@given(st.integers(1, 25))
def test_a_shared_screen_takes_the_larger_part(count: int):
    screen, *cameras = arrange(participants(count, sharing=1), HD)
    assert screen.kind is TileKind.SCREEN
    assert screen.rect.w * screen.rect.h >= 0.74 * HD.w * HD.h
    assert all(c.rect.x >= screen.rect.w for c in cameras)


def test_of_several_screens_the_newest_is_shown():
    screen = arrange(participants(5, sharing=3), HD)[0]
    assert screen.track == "s2"


def test_beyond_the_limit_those_who_spoke_last_are_shown_in_order_of_joining():
    crowd = participants(40)
    crowd[39] = Participant(Identity("p39"), "late", join_order=39, last_spoke_at_s=100.0)
    crowd[30] = Participant(Identity("p30"), "later", join_order=30, last_spoke_at_s=200.0)
    shown = [t.identity for t in arrange(crowd, HD)]
    assert shown == [f"p{n:02}" for n in range(23)] + ["p30", "p39"]


@settings(deadline=None)
@given(st.permutations(participants(9)))
def test_the_order_of_input_does_not_matter(shuffled: list[Participant]):
    assert arrange(shuffled, HD) == arrange(participants(9), HD)


@settings(deadline=None)
@given(st.integers(16, 4000), st.integers(16, 4000))
def test_pictures_are_contained_with_their_aspect(w: int, h: int):
    into = Rect(320, 100, 640, 360)
    rect = contain(Size(w, h), into)
    assert rect.x >= into.x
    assert rect.y >= into.y
    assert rect.x + rect.w <= into.x + into.w
    assert rect.y + rect.h <= into.y + into.h
    assert rect.w == into.w or rect.h == into.h
    assert abs(rect.w - w * rect.h / h) <= 2 + 2 * w / h or abs(rect.h - h * rect.w / w) <= 2 + 2 * h / w
