import "@preact/signals";
import { render } from "preact";
import { httpOver } from "./api/http.ts";
import { participantsApi } from "./api/participants.ts";
import { recordingsApi } from "./api/recordings.ts";
import { Announcer } from "./session/announcer.ts";
import { LocalDevice, LocalDevices } from "./session/devices.ts";
import { linkOf } from "./session/link.ts";
import { Memory, storeOrNull } from "./session/memory.ts";
import { MeetingPage } from "./session/page.ts";
import { RecorderButton } from "./session/recorder.ts";
import { Recordings } from "./session/recordings.ts";
import "./styles/index.css";
import { App } from "./views/App.tsx";

/** The page's only composition root: everything from the browser enters here. */
function main(root: HTMLElement): void {
  const memory = new Memory(
    storeOrNull(() => localStorage),
    storeOrNull(() => sessionStorage),
  );
  const kept = memory.preferences();
  const devices = new LocalDevices(
    // absent on a page that is not secure, whatever the types say
    navigator.mediaDevices as MediaDevices | undefined,
    new LocalDevice("camera", kept.cameraOn, kept.cameraId),
    new LocalDevice("microphone", kept.microphoneOn, kept.microphoneId),
  );
  const link = linkOf(location);
  const http = httpOver(fetch.bind(globalThis));
  const recordings = recordingsApi(http, link.roomName, () => memory.token(link.roomName));
  const announcer = new Announcer();
  const page = new MeetingPage({
    link,
    api: participantsApi(http),
    recorder: new RecorderButton(recordings),
    recordings: new Recordings(recordings, announcer),
    devices,
    memory,
    announcer,
    hasWebRtc: "RTCPeerConnection" in globalThis,
    loadMeeting: async () => (await import("./session/meeting.ts")).Meeting,
  });
  render(<App page={page} />, root);
  void page.open();
}

const root = document.getElementById("app");
if (root) main(root);
