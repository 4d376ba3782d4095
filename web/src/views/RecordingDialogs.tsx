import { useRef } from "preact/hooks";
import { Dialog } from "../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { Playing, Recordings } from "../session/recordings.ts";
import { nameOf } from "./RecordingsPanel.tsx";

interface RecordingDialogsProps {
  readonly recordings: Recordings;
}

/** The dialogs over a list of recordings: the player, and the confirmation before one is deleted. */
export function RecordingDialogs({ recordings }: RecordingDialogsProps) {
  const playing = recordings.playing.value;
  return (
    <>
      {playing && <Player playing={playing} recordings={recordings} />}
      {recordings.deleting.value && <DeleteDialog recordings={recordings} />}
    </>
  );
}

function Player({ playing, recordings }: RecordingDialogsProps & { readonly playing: Playing }) {
  const title = text.recordings.playerTitle(nameOf(playing.recording));
  // a new URL loads the file again: playback continues at this position
  const positionS = useRef(0);
  return (
    <Dialog title={title} wide onClose={() => recordings.stopPlaying()}>
      {/* biome-ignore lint/a11y/useMediaCaption: a recording has no captions */}
      <video
        class="player"
        src={playing.url}
        aria-label={title}
        controls
        autoplay
        playsInline
        onLoadedMetadata={(event) => {
          if (positionS.current > 0) event.currentTarget.currentTime = positionS.current;
        }}
        onSeeking={(event) => {
          positionS.current = event.currentTarget.currentTime;
        }}
        onTimeUpdate={(event) => {
          const { currentTime, error, readyState } = event.currentTarget;
          // a file that is being loaded reports 0
          if (!error && readyState > HTMLMediaElement.HAVE_NOTHING) positionS.current = currentTime;
        }}
        onError={() => void recordings.playerFailed()}
      />
    </Dialog>
  );
}

function DeleteDialog({ recordings }: RecordingDialogsProps) {
  const recording = recordings.deleting.value;
  const keep = () => recordings.confirmDeletion(null);
  if (!recording) return null;
  return (
    <Dialog title={text.recordings.deleteTitle} onClose={keep}>
      <p>{text.recordings.deleteWarning(nameOf(recording))}</p>
      <p class="dialog-actions">
        <button type="button" onClick={keep}>
          {text.recordings.keep}
        </button>
        <button type="button" class="danger" onClick={() => void recordings.delete()}>
          {text.recordings.delete}
        </button>
      </p>
    </Dialog>
  );
}
