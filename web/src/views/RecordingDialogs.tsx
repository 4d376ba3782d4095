import { useRef } from "preact/hooks";
import { Dialog } from "../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { Playing, Recordings } from "../session/recordings.ts";
import { nameOf } from "./RecordingsPanel.tsx";

interface RecordingDialogsProps {
  readonly recordings: Recordings;
}

/** What opens over a list of recordings: the player, and the question before one is deleted. */
export function RecordingDialogs({ recordings }: RecordingDialogsProps) {
  const playing = recordings.playing.value;
  return (
    <>
      {playing && <Player playing={playing} recordings={recordings} />}
      {recordings.toDelete.value && <DeleteDialog recordings={recordings} />}
    </>
  );
}

function Player({ playing, recordings }: RecordingDialogsProps & { readonly playing: Playing }) {
  const title = text.recordings.playerTitle(nameOf(playing.recording));
  // a new address starts the file anew: it goes on where it was
  const reachedS = useRef(0);
  return (
    <Dialog title={title} wide onClose={() => recordings.stopPlaying()}>
      {/* biome-ignore lint/a11y/useMediaCaption: what was said in a meeting has no text */}
      <video
        class="player"
        src={playing.address}
        aria-label={title}
        controls
        autoplay
        playsInline
        onLoadedMetadata={(event) => {
          if (reachedS.current > 0) event.currentTarget.currentTime = reachedS.current;
        }}
        onSeeking={(event) => {
          reachedS.current = event.currentTarget.currentTime;
        }}
        onTimeUpdate={(event) => {
          const { currentTime, error, readyState } = event.currentTarget;
          // a file that is being opened says 0
          if (!error && readyState > HTMLMediaElement.HAVE_NOTHING) reachedS.current = currentTime;
        }}
        onError={() => void recordings.playerFailed()}
      />
    </Dialog>
  );
}

function DeleteDialog({ recordings }: RecordingDialogsProps) {
  const recording = recordings.toDelete.value;
  const keep = () => recordings.askToDelete(null);
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
