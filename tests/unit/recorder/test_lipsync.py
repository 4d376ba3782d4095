import itertools

from tertulia.domain.ids import Identity
from tertulia.recorder.lipsync import HandOverDelay, LipSync
from tertulia.recorder.scene import TrackSid

ADA = Identity("ada")


class Room:
    """Feeds running totals as the media library counts them."""

    def __init__(self) -> None:
        self.sync = LipSync()
        self.totals = {True: (0.0, 0), False: (0.0, 0)}

    def second(self, *, sound_s: float, picture_s: float, sid: str = "1") -> int:
        for is_sound, delay_s, count in ((False, picture_s, 25), (True, sound_s, 48_000)):
            total_s, counted = self.totals[is_sound]
            self.totals[is_sound] = total_s + delay_s * count, counted + count
            total_s, counted = self.totals[is_sound]
            track = TrackSid(f"{'a' if is_sound else 'v'}{sid}")
            self.sync.measured(ADA, track, is_sound=is_sound, total_s=total_s, count=counted)
        return self.sync.sound_is_late_us(ADA)


def test_sound_is_moved_by_what_it_waits_longer_than_the_picture():
    assert Room().second(sound_s=0.060, picture_s=0.020) == 40_000


def test_a_large_difference_is_approached_in_small_steps():
    room = Room()
    steps = [room.second(sound_s=0.200, picture_s=0.010) for _ in range(15)]
    assert steps[0] == 100_000
    assert all(0 <= b - a <= 10_000 for a, b in itertools.pairwise(steps))
    assert steps[-1] == 190_000


def test_it_comes_back_when_the_network_calms_down():
    room = Room()
    room.second(sound_s=0.100, picture_s=0.010)
    for _ in range(10):
        late = room.second(sound_s=0.030, picture_s=0.010)
    assert late == 20_000


def test_only_the_newest_second_counts():
    room = Room()
    for _ in range(100):
        room.second(sound_s=0.080, picture_s=0.010)
    for _ in range(5):
        late = room.second(sound_s=0.030, picture_s=0.010)
    assert late == 20_000


def test_sound_is_never_moved_later_and_strangers_are_not_moved():
    assert Room().second(sound_s=0.010, picture_s=0.100) == 0
    assert LipSync().sound_is_late_us(ADA) == 0


def test_a_new_track_counts_from_its_own_beginning():
    room = Room()
    room.second(sound_s=0.050, picture_s=0.010)
    room.totals = {True: (0.0, 0), False: (0.0, 0)}
    assert room.second(sound_s=0.055, picture_s=0.010, sid="2") == 45_000


def test_one_who_left_is_forgotten():
    room = Room()
    room.second(sound_s=0.050, picture_s=0.010)
    room.sync.forget(ADA)
    assert room.sync.sound_is_late_us(ADA) == 0


def test_a_starved_event_loop_shows_in_the_pictures():
    delay = HandOverDelay()
    assert delay.smallest_us(0) == 0
    for now_us in range(0, 3_000_000, 40_000):
        delay.seen(now_us, now_us - 300_000 - now_us % 7 * 10_000)
    assert delay.smallest_us(3_000_000) == 300_000
    assert delay.smallest_us(9_000_000) == 0, "long without pictures: nothing is known"


def test_a_loop_that_recovers_is_believed_at_once():
    delay = HandOverDelay()
    delay.seen(1_000_000, 600_000)
    delay.seen(1_100_000, 1_095_000)
    assert delay.smallest_us(1_200_000) == 5_000
