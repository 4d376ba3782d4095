import { effect } from "@preact/signals";
import { render } from "preact";
import { ErrorBoundary } from "../components/ErrorBoundary.tsx";
import { text } from "../i18n/index.ts";
import { Layout } from "../session/layout.ts";
import type { Meeting } from "../session/meeting.ts";
import { ControlButton } from "./ControlButton.tsx";
import { ParticipantTile } from "./ParticipantTile.tsx";

/** In CSS pixels. */
const WINDOW_SIZE = { width: 360, height: 420 };

const TILES_MAX = 4;

interface DocumentPictureInPicture {
  requestWindow(options: { readonly width: number; readonly height: number }): Promise<Window>;
}

/**
 * Opens the small window: tiles and controls where the browser has it, else the video of the one who is large or speaks.
 * @param onClose is called when it is closed, by whatever.
 * @returns what closes it.
 */
export async function openPictureInPicture(meeting: Meeting, layout: Layout, onClose: () => void): Promise<() => void> {
  const { documentPictureInPicture: api } = globalThis as { documentPictureInPicture?: DocumentPictureInPicture };
  if (!api) return openVideo(onClose);
  const small = await api.requestWindow(WINDOW_SIZE);
  dress(small.document);
  const { body } = small.document;
  const arranged = new Layout(meeting.roster, meeting.network.saveData, TILES_MAX);
  arranged.hideSelf.value = true;
  const stop = effect(() => {
    arranged.pinned.value = layout.pinned.value;
  });
  const back = () => {
    focus();
    small.close();
  };
  small.addEventListener("pagehide", () => {
    stop();
    render(null, body);
    onClose();
  });
  render(<SmallMeeting meeting={meeting} layout={arranged} back={back} />, body);
  return () => small.close();
}

/** The new document is empty. */
function dress({ documentElement, head }: Document): void {
  documentElement.lang = document.documentElement.lang;
  documentElement.dir = document.documentElement.dir;
  // the theme and the colours of this installation
  documentElement.style.cssText = document.documentElement.style.cssText;
  const title = document.createElement("title");
  title.textContent = text.appName;
  head.append(title);
  for (const { href } of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')) {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href });
    head.append(link);
  }
}

interface SmallMeetingProps {
  readonly meeting: Meeting;
  readonly layout: Layout;
  readonly back: () => void;
}

function SmallMeeting({ meeting, layout, back }: SmallMeetingProps) {
  const { stage, tiles } = layout.arrangement.value;
  const shown = [...stage, ...tiles];
  return (
    <main class={stage.length > 0 ? "small-meeting with-stage" : "small-meeting"}>
      <h1 class="visually-hidden">{text.appName}</h1>
      <ErrorBoundary part={text.meeting.participants}>
        <ul class="tiles" aria-label={text.meeting.participants}>
          {shown.map((tile) => (
            <ParticipantTile
              key={tile.key}
              tile={tile}
              isPinned={false}
              isMovable={false}
              layout={layout}
              reactions={meeting.reactions}
              network={meeting.network}
            />
          ))}
        </ul>
        {shown.length === 0 && <p class="grid-hint">{text.meeting.alone}</p>}
      </ErrorBoundary>
      <ErrorBoundary part={text.controls.label}>
        <SmallControls meeting={meeting} back={back} />
      </ErrorBoundary>
    </main>
  );
}

function SmallControls({ meeting, back }: Pick<SmallMeetingProps, "meeting" | "back">) {
  const { controls } = text;
  const microphone = meeting.microphone.on.value;
  const camera = meeting.camera.on.value;
  return (
    <nav class="controls" aria-label={controls.label}>
      {meeting.canPublish.value && (
        <>
          <ControlButton
            id="microphone"
            icon={microphone ? "microphone" : "microphoneOff"}
            label={microphone ? controls.microphoneOn : controls.microphoneOff}
            off={!microphone}
            onClick={() => void meeting.toggle("microphone")}
          />
          <ControlButton
            id="camera"
            icon={camera ? "camera" : "cameraOff"}
            label={camera ? controls.cameraOn : controls.cameraOff}
            off={!camera}
            onClick={() => void meeting.toggle("camera")}
          />
        </>
      )}
      <ControlButton id="back" icon="expand" label={text.views.back} onClick={back} />
      <ControlButton id="leave" icon="leave" label={controls.leave} onClick={() => void meeting.leave()} />
    </nav>
  );
}

const WORTH_SEEING = [
  ".stage video",
  '.tile[data-speaking="true"]:not([data-local="true"]) video',
  '.tile:not([data-local="true"]) video',
  ".tile video",
];

async function openVideo(onClose: () => void): Promise<() => void> {
  const videos = WORTH_SEEING.map((selector) => document.querySelector<HTMLVideoElement>(selector));
  const video = videos.find((found) => found !== null);
  if (!video) throw new Error("no video to show");
  await video.requestPictureInPicture();
  const close = () => void document.exitPictureInPicture().catch(() => undefined);
  // one whose participant has left tells nothing, and browsers show another one only after a click
  const observer = new MutationObserver(() => {
    if (!video.isConnected) over();
  });
  const over = () => {
    observer.disconnect();
    video.removeEventListener("leavepictureinpicture", over);
    close();
    onClose();
  };
  observer.observe(document.body, { childList: true, subtree: true });
  video.addEventListener("leavepictureinpicture", over);
  return close;
}
