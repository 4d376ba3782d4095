import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ErrorMessage } from "../components/ErrorMessage.tsx";
import { Icon } from "../components/Icon.tsx";
import { AudioTrack } from "../components/Tracks.tsx";
import { text } from "../i18n/index.ts";
import type { Meeting } from "../session/meeting.ts";
import type { MeetingPage } from "../session/page.ts";
import { ChatPanel } from "./ChatPanel.tsx";
import { Controls, type OpenDialog } from "./Controls.tsx";
import { DevicesDialog } from "./DevicesDialog.tsx";
import { HelpDialog } from "./HelpDialog.tsx";
import { ParticipantGrid } from "./ParticipantGrid.tsx";
import { RecordingDialogs } from "./RecordingDialogs.tsx";
import { RecordingsPanel } from "./RecordingsPanel.tsx";
import { useShortcuts } from "./shortcuts.ts";

interface MeetingViewProps {
  readonly page: MeetingPage;
  readonly meeting: Meeting;
}

/** The meeting: participants, chat, recordings and controls. */
export function MeetingView({ page, meeting }: MeetingViewProps) {
  const dialog = useSignal<OpenDialog>(null);
  const shortcutsOn = useSignal(page.storage.preferences().shortcutsOn);
  const main = useRef<HTMLElement>(null);
  useEffect(() => main.current?.focus(), []);
  useShortcuts(shortcutsOn, meeting, () => {
    dialog.value = "help";
  });
  const close = () => {
    dialog.value = null;
  };
  return (
    <main class="meeting" ref={main} tabIndex={-1} aria-label={page.roomTitle || text.meeting.participants}>
      <TopBar title={page.roomTitle} meeting={meeting} />
      <Alerts meeting={meeting} />
      <div class="meeting-middle">
        <ParticipantGrid meeting={meeting} />
        {meeting.canChat.value && meeting.chat.open.value && <ChatPanel meeting={meeting} />}
        {page.recordings.open.value && <RecordingsPanel recordings={page.recordings} />}
      </div>
      <Controls
        meeting={meeting}
        recordingControl={page.recordingControl}
        recordings={page.recordings}
        dialog={dialog}
      />
      {meeting.roster.value.audioTracks.map(({ key, track }) => (
        <AudioTrack key={key} track={track} />
      ))}
      <RecordingDialogs recordings={page.recordings} />
      {dialog.value === "devices" && <DevicesDialog meeting={meeting} onClose={close} />}
      {dialog.value === "help" && <HelpDialog shortcutsOn={shortcutsOn} storage={page.storage} onClose={close} />}
    </main>
  );
}

function TopBar({ title, meeting }: { readonly title: string; readonly meeting: Meeting }) {
  const count = meeting.roster.value.count;
  return (
    <header class="top-bar">
      <h1>{title || text.appName}</h1>
      {meeting.recording.value && (
        <span class="badge recording" data-testid="recording">
          {text.meeting.recording}
        </span>
      )}
      {!meeting.canPublish.value && <span class="badge">{text.meeting.watching}</span>}
      <span class="count" data-testid="count" data-count={count}>
        <Icon name="people" />
        <span aria-hidden="true">{count}</span>
        <span class="visually-hidden">{text.meeting.count(count)}</span>
      </span>
    </header>
  );
}

function Alerts({ meeting }: { readonly meeting: Meeting }) {
  const error = meeting.error.value;
  return (
    <div class="alerts">
      {meeting.reconnecting.value && (
        <p class="banner" data-testid="reconnecting">
          {text.meeting.reconnecting}
        </p>
      )}
      {meeting.audioBlocked.value && (
        <div class="message" role="alert">
          <p>{text.meeting.blockedSound}</p>
          <button type="button" onClick={() => void meeting.startAudio()}>
            {text.controls.startAudio}
          </button>
        </div>
      )}
      {error && (
        <ErrorMessage text={text.errors[error.cause]} about={error.device ? text.device[error.device] : undefined}>
          <button
            type="button"
            class="quiet"
            aria-label={text.controls.dismiss}
            onClick={() => {
              meeting.error.value = null;
            }}
          >
            <Icon name="close" />
          </button>
        </ErrorMessage>
      )}
    </div>
  );
}
