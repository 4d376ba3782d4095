"""Which tracks the recorder subscribes to, and in which simulcast layer. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from livekit.protocol import models, rtc

from tertulia_recorder.drawing.layout import Tile, TileKind

_MIN_SCALE: Final = 0.7
"""A layer of this part of a tile's height still looks sharp in it."""

TILE_KIND_OF_SOURCE: Final = {
    models.TrackSource.CAMERA: TileKind.CAMERA,
    models.TrackSource.UNKNOWN: TileKind.CAMERA,
    models.TrackSource.SCREEN_SHARE: TileKind.SCREEN,
}


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """What is asked of the media server for one track. `quality` is None where there is no layer to choose."""

    is_subscribed: bool
    quality: models.VideoQuality | None


NOT_SUBSCRIBED: Final = SubscriptionSettings(is_subscribed=False, quality=None)


def settings_for(
    track: models.TrackInfo, tile: Tile | None, *, with_picture: bool, uses_lowest_layers: bool
) -> SubscriptionSettings:
    """Return what a track needs that is shown in `tile`, or in none: all sound, and no picture that is not visible."""
    if not is_readable(track):
        return NOT_SUBSCRIBED
    if track.type == models.TrackType.AUDIO:
        return SubscriptionSettings(is_subscribed=True, quality=None)
    if tile is None or not with_picture:
        return NOT_SUBSCRIBED
    if not track.simulcast and len(track.layers) <= 1:
        return SubscriptionSettings(is_subscribed=True, quality=None)
    quality = models.VideoQuality.LOW if uses_lowest_layers else layer_for(track.height, tile.rect.h)
    return SubscriptionSettings(is_subscribed=True, quality=quality)


def requests_for(
    participant_sid: str, track_sid: str, settings: SubscriptionSettings, previous: SubscriptionSettings
) -> Iterable[rtc.SignalRequest]:
    """Yield the messages that turn `previous` into `settings`."""
    if settings == previous:
        return
    # The layer first: the media server then begins with it.
    if settings.is_subscribed and settings.quality is not None:
        of_track = rtc.UpdateTrackSettings(track_sids=[track_sid], quality=settings.quality)
        yield rtc.SignalRequest(track_setting=of_track)
    if settings.is_subscribed != previous.is_subscribed:
        tracks = models.ParticipantTracks(participant_sid=participant_sid, track_sids=[track_sid])
        yield rtc.SignalRequest(
            subscription=rtc.UpdateSubscription(
                track_sids=[track_sid], subscribe=settings.is_subscribed, participant_tracks=[tracks]
            )
        )


def layer_for(full_height: int, tile_height: int) -> models.VideoQuality:
    """Return the lowest simulcast layer (a quarter, a half, all of `full_height`) that looks sharp in a tile."""
    if full_height >= 4 * _MIN_SCALE * tile_height:
        return models.VideoQuality.LOW
    if full_height >= 2 * _MIN_SCALE * tile_height:
        return models.VideoQuality.MEDIUM
    return models.VideoQuality.HIGH


def is_readable(track: models.TrackInfo) -> bool:
    """Return whether the recorder can decode a track: it has no key for end-to-end encryption."""
    return track.encryption == models.Encryption.NONE
