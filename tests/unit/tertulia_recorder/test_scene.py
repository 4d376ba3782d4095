from tertulia_recorder.ids import Identity
from tertulia_recorder.scene import Participant, Scene, TrackSid


def test_the_video_tracks_are_cameras_and_screens():
    participants = (
        Participant(Identity("a"), "A", camera=TrackSid("camera"), screen=TrackSid("screen")),
        Participant(Identity("b"), "B", camera=TrackSid("another")),
        Participant(Identity("c"), "C"),
    )
    assert Scene(participants).video_tracks == {"camera", "screen", "another"}
    assert Scene().video_tracks == set()
