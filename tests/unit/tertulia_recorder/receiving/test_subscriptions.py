import pytest
from livekit.protocol import models

from tertulia_recorder.drawing.layout import Rect, Tile, TileKind
from tertulia_recorder.ids import Identity
from tertulia_recorder.receiving.subscriptions import (
    NOT_SUBSCRIBED,
    SubscriptionSettings,
    layer_for,
    requests_for,
    settings_for,
)

LOW, MEDIUM, HIGH = models.VideoQuality.LOW, models.VideoQuality.MEDIUM, models.VideoQuality.HIGH
AUDIO = models.TrackInfo(sid="a", type=models.TrackType.AUDIO)
VIDEO = models.TrackInfo(sid="v", type=models.TrackType.VIDEO, height=720)
SIMULCAST = models.TrackInfo(sid="s", type=models.TrackType.VIDEO, height=720, simulcast=True)
ENCRYPTED = models.TrackInfo(sid="e", type=models.TrackType.AUDIO, encryption=models.Encryption.GCM)
SUBSCRIBED = SubscriptionSettings(is_subscribed=True, quality=None)


def tile(height: int) -> Tile:
    rect = Rect(0, 0, height * 16 // 9, height)
    return Tile(Identity("p"), TileKind.CAMERA, rect, "P", None, is_speaking=False)


@pytest.mark.parametrize(
    ("track", "shown", "with_picture", "expected"),
    [
        (AUDIO, None, False, SUBSCRIBED),
        (ENCRYPTED, None, True, NOT_SUBSCRIBED),
        (VIDEO, None, True, NOT_SUBSCRIBED),
        (VIDEO, tile(720), False, NOT_SUBSCRIBED),
        (VIDEO, tile(720), True, SUBSCRIBED),
        (SIMULCAST, tile(720), True, SubscriptionSettings(is_subscribed=True, quality=HIGH)),
        (SIMULCAST, tile(180), True, SubscriptionSettings(is_subscribed=True, quality=LOW)),
    ],
)
def test_what_is_heard_or_visible_is_subscribed_to(
    track: models.TrackInfo, shown: Tile | None, with_picture: bool, expected: SubscriptionSettings
):
    assert settings_for(track, shown, with_picture=with_picture, uses_lowest_layers=False) == expected


def test_short_of_cpu_the_lowest_layer_is_enough():
    assert settings_for(SIMULCAST, tile(720), with_picture=True, uses_lowest_layers=True).quality == LOW


@pytest.mark.parametrize(
    ("full", "shown", "expected"),
    [(720, 720, HIGH), (720, 515, HIGH), (720, 514, MEDIUM), (720, 258, MEDIUM), (720, 257, LOW), (360, 360, HIGH)],
)
def test_the_layer_is_the_lowest_that_looks_sharp(full: int, shown: int, expected: models.VideoQuality):
    assert layer_for(full, shown) == expected


def test_only_changes_are_sent_and_the_layer_first():
    low, high = (SubscriptionSettings(is_subscribed=True, quality=quality) for quality in (LOW, HIGH))
    assert list(requests_for("PA_p", "TR_s", low, low)) == []
    layer, subscription = requests_for("PA_p", "TR_s", low, NOT_SUBSCRIBED)
    assert layer.track_setting.quality == LOW
    assert subscription.subscription.subscribe
    assert subscription.subscription.participant_tracks[0].participant_sid == "PA_p"
    (change,) = requests_for("PA_p", "TR_s", high, low)
    assert change.track_setting.quality == HIGH
    (end,) = requests_for("PA_p", "TR_s", NOT_SUBSCRIBED, low)
    assert not end.subscription.subscribe
