import "@preact/signals";
import { render } from "preact";
import { apiClient } from "./api/client.ts";
import { lobbyApi } from "./api/lobby.ts";
import { meetingApi } from "./api/meeting.ts";
import { participantsApi } from "./api/participants.ts";
import { recordingsApi } from "./api/recordings.ts";
import { freeDrawnTrees } from "./components/drawn_trees.ts";
import { earlyMessages, isEmbedded, parametersOf } from "./embedding/parameters.ts";
import { directionOf, language, languageOf, setLanguage } from "./i18n/index.ts";
import { Announcer } from "./session/announcer.ts";
import { Background } from "./session/background.ts";
import { loadBrand } from "./session/brand.ts";
import { LocalDevice, LocalDevices } from "./session/devices.ts";
import { parseMeetingLink } from "./session/meeting_link.ts";
import { NoiseSuppression } from "./session/noise.ts";
import { MeetingPage } from "./session/page.ts";
import { RecordingControl } from "./session/recording_control.ts";
import { Recordings } from "./session/recordings.ts";
import { Speaker } from "./session/speaker.ts";
import { PageStorage, storeOrNull } from "./session/storage.ts";
import "./styles/index.css";
import { App, MeetingView } from "./views/App.tsx";

/** The page's only composition root: everything from the browser enters here. */
async function main(root: HTMLElement): Promise<void> {
  freeDrawnTrees();
  const early = earlyMessages();
  const client = apiClient(location.origin, fetch.bind(globalThis));
  const branding = loadBrand(client, canShow);
  const parameters = parametersOf(location);
  // without it (a network that fails) the page works alone
  const loading = isEmbedded(parameters) ? import("./embedding/embedding.ts").catch(() => null) : null;
  await applyLanguage(parameters.get("lang") ?? "");
  const storage = new PageStorage(
    storeOrNull(() => localStorage),
    storeOrNull(() => sessionStorage),
  );
  const { background, noise } = effectsOf(storage);
  const devices = devicesOf(storage, noise);
  const link = parseMeetingLink(location);
  const token = () => storage.token(link.roomName);
  const recordings = recordingsApi(client, link.roomName, token);
  const announcer = new Announcer();
  announcer.readsSignals.value = storage.preferences().readsSignals;
  const [participants, api] = [participantsApi(client), meetingApi(client, link.roomName, token)];
  const brand = await branding;
  for (const [name, value] of Object.entries(brand.properties)) document.documentElement.style.setProperty(name, value);
  const page = new MeetingPage({
    brand,
    link,
    api: participants,
    lobbyApi: lobbyApi(client),
    meetingApi: api,
    recordingControl: new RecordingControl(recordings),
    recordings: new Recordings(recordings, announcer),
    devices,
    background,
    noise,
    storage,
    announcer,
    hasWebRtc: "RTCPeerConnection" in globalThis,
    network: {
      isOnline: () => navigator.onLine,
      addEventListener: (type, act) => addEventListener(type, act),
      removeEventListener: (type, act) => removeEventListener(type, act),
    },
    loadMeeting: async () => {
      const [{ Meeting }] = await Promise.all([import("./session/meeting.ts"), MeetingView.load()]);
      return Meeting;
    },
  });
  const show = () => render(<App key={language} page={page} />, root);
  show();
  const embedding = await loading;
  if (!embedding) return page.open();
  const changeLanguage = (wanted: string) => applyLanguage(wanted).then(show);
  await embedding.openEmbedded({ page, link, api, participants, parameters, early, setLanguage: changeLanguage });
}

async function canShow(picture: string): Promise<boolean> {
  const image = new Image();
  image.src = picture;
  return image.decode().then(
    () => true,
    () => false,
  );
}

async function applyLanguage(wanted: string): Promise<void> {
  await setLanguage(languageOf([wanted, ...navigator.languages]));
  document.documentElement.lang = language;
  document.documentElement.dir = directionOf(language);
}

/** Background and noise suppression as they were chosen; their code is loaded when one is used. */
function effectsOf(storage: PageStorage) {
  const saved = storage.preferences();
  const background = new Background(
    saved.background,
    async () => (await import("./effects/background.ts")).backgroundCode,
    (choice) => storage.savePreferences({ background: choice }),
  );
  const noise = new NoiseSuppression(
    saved.noise,
    async () => (await import("./effects/noise.ts")).noiseCode,
    (level) => storage.savePreferences({ noise: level }),
  );
  return { background, noise };
}

/** Camera, microphone and speaker, as they were chosen last. */
function devicesOf(storage: PageStorage, noise: NoiseSuppression): LocalDevices {
  const saved = storage.preferences();
  // absent on a page that is not secure, whatever the types say
  const media = navigator.mediaDevices as MediaDevices | undefined;
  const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;
  return new LocalDevices(
    media,
    new LocalDevice("camera", saved.cameraOn, saved.cameraId),
    new LocalDevice("microphone", saved.microphoneOn, saved.microphoneId, () => noise.constraints()),
    new Speaker(saved.speakerId, canChooseSpeaker ? (media ?? null) : null, (speakerId) =>
      storage.savePreferences({ speakerId }),
    ),
    ({ camera, microphone }) =>
      storage.savePreferences({
        cameraOn: camera.on.value,
        cameraId: camera.selectedId.value,
        microphoneOn: microphone.on.value,
        microphoneId: microphone.selectedId.value,
      }),
  );
}

const root = document.getElementById("app");
if (root) void main(root);
