import { effect, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { BrandMark } from "../components/BrandMark.tsx";
import { ErrorBoundary } from "../components/ErrorBoundary.tsx";
import { Icon } from "../components/Icon.tsx";
import { AudioTrack } from "../components/Tracks.tsx";
import { countOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { CORNERS, Layout, SAVE_DATA } from "../session/layout.ts";
import type { Meeting } from "../session/meeting.ts";
import type { MeetingPage } from "../session/page.ts";
import type { PageStorage } from "../session/storage.ts";
import { keepAwake } from "../session/wake_lock.ts";
import { Alerts } from "./Alerts.tsx";
import { ConnectionButton } from "./Connection.tsx";
import { Controls, type OpenDialog } from "./Controls.tsx";
import { FullScreenButton } from "./FullScreenButton.tsx";
import { lazyView } from "./lazy.tsx";
import { ParticipantGrid } from "./ParticipantGrid.tsx";
import { PictureInPictureButton } from "./PictureInPictureButton.tsx";
import { togglePanel } from "./panels.ts";
import { useShortcuts } from "./shortcuts.ts";

const ChatPanel = lazyView(async () => (await import("./ChatPanel.tsx")).ChatPanel);
const ConnectionDialog = lazyView(async () => (await import("./ConnectionDialog.tsx")).ConnectionDialog);
const DevicesDialog = lazyView(async () => (await import("./DevicesDialog.tsx")).DevicesDialog);
const HelpDialog = lazyView(async () => (await import("./HelpDialog.tsx")).HelpDialog);
const PeoplePanel = lazyView(async () => (await import("./PeoplePanel.tsx")).PeoplePanel);
const RecordingDialogs = lazyView(async () => (await import("./RecordingDialogs.tsx")).RecordingDialogs);
const RecordingsPanel = lazyView(async () => (await import("./RecordingsPanel.tsx")).RecordingsPanel);

interface MeetingViewProps {
  readonly page: MeetingPage;
  readonly meeting: Meeting;
}

interface MainProps extends MeetingViewProps {
  /** Whether the user is in the meeting, and sees it; before, it is only drawn. */
  readonly isShown: boolean;
}

/** The meeting: participants, chat, recordings and controls. */
export function MeetingView({ page, meeting, isShown }: MainProps) {
  const dialog = useSignal<OpenDialog>(null);
  const shortcutsOn = useSignal(page.storage.preferences().shortcutsOn);
  const [layout] = useState(() => layoutOf(meeting, page.storage));
  useSignalEffect(() => {
    const wanted = page.wantedLayout.value;
    if (wanted) layout.mode.value = wanted === "speaker" ? "speaker" : "grid";
  });
  const main = useRef<HTMLElement>(null);
  useEffect(
    () => (isShown ? remember(layout, meeting, page.storage) : undefined),
    [isShown, layout, meeting, page.storage],
  );
  useEffect(() => (isShown ? keepAwake() : undefined), [isShown]);
  useLayoutEffect(() => {
    if (isShown) main.current?.focus();
  }, [isShown]);
  useShortcuts(isShown, shortcutsOn, meeting, page.recordings, () => {
    dialog.value = "help";
  });
  const close = () => {
    dialog.value = null;
  };
  return (
    <main class="meeting" ref={main} tabIndex={-1} aria-label={page.roomTitle || text.meeting.participants}>
      <ErrorBoundary>
        <TopBar page={page} meeting={meeting} layout={layout} />
      </ErrorBoundary>
      <ErrorBoundary>
        <Alerts meeting={meeting} recordings={page.recordings} dialog={dialog} />
      </ErrorBoundary>
      <div class="meeting-middle">
        <ErrorBoundary part={text.meeting.participants}>
          <ParticipantGrid meeting={meeting} layout={layout} />
        </ErrorBoundary>
        <Panels page={page} meeting={meeting} />
      </div>
      <ErrorBoundary part={text.controls.label}>
        <Controls
          meeting={meeting}
          recordingControl={page.recordingControl}
          recordings={page.recordings}
          speaker={page.devices.speaker}
          dialog={dialog}
        />
      </ErrorBoundary>
      <RemoteSound meeting={meeting} />
      <ErrorBoundary part={text.recordings.title}>
        {page.recordings.hasDialog.value && <RecordingDialogs recordings={page.recordings} />}
      </ErrorBoundary>
      <ErrorBoundary part={text.views.connection.title}>
        {meeting.network.open.value && <ConnectionDialog network={meeting.network} />}
      </ErrorBoundary>
      <ErrorBoundary key={dialog.value} part={text.controls.label}>
        {dialog.value === "devices" && (
          <DevicesDialog
            meeting={meeting}
            devices={page.devices}
            layout={layout}
            storage={page.storage}
            onClose={close}
          />
        )}
        {dialog.value === "help" && <HelpDialog shortcutsOn={shortcutsOn} page={page} onClose={close} />}
      </ErrorBoundary>
    </main>
  );
}

/** The panels beside the tiles. Each can fail alone. */
function Panels({ page, meeting }: MeetingViewProps) {
  return (
    <>
      {meeting.canChat.value && meeting.chat.open.value && (
        <ErrorBoundary part={text.chat.title}>
          <ChatPanel meeting={meeting} />
        </ErrorBoundary>
      )}
      {meeting.people.open.value && (
        <ErrorBoundary part={text.people.title}>
          <PeoplePanel meeting={meeting} />
        </ErrorBoundary>
      )}
      {page.recordings.open.value && (
        <ErrorBoundary part={text.recordings.title}>
          <RecordingsPanel recordings={page.recordings} />
        </ErrorBoundary>
      )}
    </>
  );
}

function RemoteSound({ meeting }: { readonly meeting: Meeting }) {
  return (
    <>
      {meeting.roster.value.audioTracks.map(({ key, track }) => (
        <ErrorBoundary key={key}>
          <AudioTrack track={track} />
        </ErrorBoundary>
      ))}
    </>
  );
}

function TopBar({ page, meeting, layout }: MeetingViewProps & { readonly layout: Layout }) {
  const { roomTitle } = page;
  return (
    <header class="top-bar">
      <BrandMark brand={page.brand} />
      <h1>{roomTitle || text.appName}</h1>
      {meeting.recording.value && (
        <span class="badge recording" data-testid="recording">
          {text.meeting.recording}
        </span>
      )}
      {meeting.settings.current.value?.locked && <span class="badge">{text.meeting.locked}</span>}
      {!meeting.canPublish.value && <span class="badge">{text.meeting.watching}</span>}
      <PeopleButton page={page} meeting={meeting} />
      <ConnectionButton meeting={meeting} />
      <LayoutButton layout={layout} />
      <PictureInPictureButton meeting={meeting} layout={layout} />
      <FullScreenButton />
    </header>
  );
}

/** How many are here; it opens the list of them. */
function PeopleButton({ page, meeting }: MeetingViewProps) {
  const { count } = meeting.roster.value;
  return (
    <button
      type="button"
      class="count"
      data-control="people"
      data-testid="count"
      data-count={count}
      title={text.people.title}
      aria-expanded={meeting.people.open.value}
      onClick={() => togglePanel("people", meeting, page.recordings)}
    >
      <Icon name="people" />
      <span aria-hidden="true">{countOf(count)}</span>
      <span class="visually-hidden">
        {text.people.title}: {text.meeting.count(count)}
      </span>
    </button>
  );
}

function layoutOf(meeting: Meeting, storage: PageStorage): Layout {
  const layout = new Layout(meeting.roster, meeting.network.saveData);
  const saved = storage.preferences();
  meeting.network.saveData.value = SAVE_DATA.find((choice) => choice === saved.saveData) ?? "all";
  layout.hideSelf.value = saved.hideSelf;
  layout.mode.value = saved.layout === "speaker" ? "speaker" : "grid";
  layout.corner.value = CORNERS.find((corner) => corner === saved.corner) ?? "bottom-end";
  return layout;
}

/** Keeps what the user chooses for the next meeting. */
function remember({ mode, corner }: Layout, { network }: Meeting, storage: PageStorage): () => void {
  return effect(() =>
    storage.savePreferences({ layout: mode.value, corner: corner.value, saveData: network.saveData.value }),
  );
}

/** Changes between all in a grid and the one who speaks. */
function LayoutButton({ layout }: { readonly layout: Layout }) {
  const other = layout.mode.value === "grid" ? "speaker" : "grid";
  const label = text.layout[other];
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      onClick={() => {
        layout.mode.value = other;
      }}
    >
      <Icon name={other} />
    </button>
  );
}
