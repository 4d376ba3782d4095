import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { SoundPlayer } from "../components/Media.tsx";
import { Message } from "../components/Message.tsx";
import { text } from "../i18n/index.ts";
import type { Meeting } from "../session/meeting.ts";
import type { MeetingPage } from "../session/page.ts";
import { ChatPanel } from "./ChatPanel.tsx";
import { Controls, type OpenDialog } from "./Controls.tsx";
import { DevicesDialog } from "./DevicesDialog.tsx";
import { HelpDialog } from "./HelpDialog.tsx";
import { RecordingDialogs } from "./RecordingDialogs.tsx";
import { RecordingsPanel } from "./RecordingsPanel.tsx";
import { Stage } from "./Stage.tsx";
import { useShortcuts } from "./shortcuts.ts";

interface MeetingViewProps {
  readonly page: MeetingPage;
  readonly meeting: Meeting;
}

/** The meeting itself: who is here, what is said, and what one can do. */
export function MeetingView({ page, meeting }: MeetingViewProps) {
  const dialog = useSignal<OpenDialog>(null);
  const shortcutsOn = useSignal(page.memory.preferences().shortcutsOn);
  const main = useRef<HTMLElement>(null);
  useEffect(() => main.current?.focus(), []);
  useShortcuts(shortcutsOn, meeting, () => {
    dialog.value = "help";
  });
  const close = () => {
    dialog.value = null;
  };
  return (
    <main class="meeting" ref={main} tabIndex={-1} aria-label={page.roomTitle || text.meeting.stage}>
      <TopBar title={page.roomTitle} meeting={meeting} />
      <Notices meeting={meeting} />
      <div class="meeting-middle">
        <Stage meeting={meeting} />
        {meeting.mayChat.value && meeting.chat.open.value && <ChatPanel meeting={meeting} />}
        {page.recordings.open.value && <RecordingsPanel recordings={page.recordings} />}
      </div>
      <Controls meeting={meeting} recorder={page.recorder} recordings={page.recordings} dialog={dialog} />
      {meeting.roster.value.sounds.map(({ key, track }) => (
        <SoundPlayer key={key} track={track} />
      ))}
      <RecordingDialogs recordings={page.recordings} />
      {dialog.value === "devices" && <DevicesDialog meeting={meeting} onClose={close} />}
      {dialog.value === "help" && <HelpDialog shortcutsOn={shortcutsOn} memory={page.memory} onClose={close} />}
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
      {!meeting.mayPublish.value && <span class="badge">{text.meeting.watching}</span>}
      <span class="count" data-testid="count" data-count={count}>
        <Icon name="people" />
        <span aria-hidden="true">{count}</span>
        <span class="heard-only">{text.meeting.count(count)}</span>
      </span>
    </header>
  );
}

function Notices({ meeting }: { readonly meeting: Meeting }) {
  const notice = meeting.notice.value;
  return (
    <div class="notices">
      {meeting.reconnecting.value && (
        <p class="banner" data-testid="reconnecting">
          {text.meeting.reconnecting}
        </p>
      )}
      {meeting.soundBlocked.value && (
        <div class="message" role="alert">
          <p>{text.meeting.blockedSound}</p>
          <button type="button" onClick={() => void meeting.enableSound()}>
            {text.controls.enableSound}
          </button>
        </div>
      )}
      {notice && (
        <Message words={text.trouble[notice.cause]} about={notice.about ? text.device[notice.about] : undefined}>
          <button
            type="button"
            class="quiet"
            aria-label={text.controls.dismiss}
            onClick={() => {
              meeting.notice.value = null;
            }}
          >
            <Icon name="close" />
          </button>
        </Message>
      )}
    </div>
  );
}
