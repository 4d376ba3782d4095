import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { ErrorMessage } from "../components/ErrorMessage.tsx";
import { useFocusKept } from "../components/focus.ts";
import { Icon } from "../components/Icon.tsx";
import { text } from "../i18n/index.ts";
import type { DeviceKind } from "../session/devices.ts";
import type { Meeting } from "../session/meeting.ts";
import type { Notice } from "../session/notices.ts";
import type { Recordings } from "../session/recordings.ts";
import { WeakConnection } from "./Connection.tsx";
import type { OpenDialog } from "./Controls.tsx";
import { openPanel } from "./panels.ts";

interface AlertsProps {
  readonly meeting: Meeting;
  readonly recordings: Recordings;
  readonly dialog: Signal<OpenDialog>;
}

/** What is wrong at the moment, each with a button that does something about it. */
export function Alerts(props: AlertsProps) {
  const { meeting } = props;
  const alerts = useRef<HTMLDivElement>(null);
  useFocusKept(alerts);
  return (
    <div ref={alerts} class="alerts">
      {meeting.reconnecting.value && (
        <p class="banner" data-testid="reconnecting">
          {text.meeting.reconnecting}
        </p>
      )}
      <Sharing meeting={meeting} />
      <WeakConnection meeting={meeting} />
      <BlockedPlayback meeting={meeting} />
      <Failure meeting={meeting} />
      {meeting.notices.all.value.map((notice) => (
        <NoticeLine key={notice.kind} notice={notice} {...props} />
      ))}
    </div>
  );
}

/** The user must not forget that others see the screen. */
function Sharing({ meeting: { screenShare } }: { readonly meeting: Meeting }) {
  if (!screenShare.on.value) return null;
  return (
    <div class="message sharing">
      <p>{text.announce.shareOn}</p>
      <button type="button" onClick={() => void screenShare.toggle()}>
        {text.views.stop}
      </button>
    </div>
  );
}

/** Browsers wait for a click before they play what a page starts by itself; iOS in low power mode also with pictures. */
function BlockedPlayback({ meeting }: { readonly meeting: Meeting }) {
  const isAudio = meeting.audioBlocked.value;
  if (!isAudio && !meeting.videoBlocked.value) return null;
  return (
    <div class="message" role="alert">
      <p>{isAudio ? text.meeting.blockedSound : text.meeting.blockedVideo}</p>
      <button type="button" onClick={() => void meeting.startPlayback()}>
        {isAudio ? text.controls.startAudio : text.controls.startVideo}
      </button>
    </div>
  );
}

function Failure({ meeting }: { readonly meeting: Meeting }) {
  const error = meeting.error.value;
  if (!error) return null;
  const { device, cause } = error;
  return (
    <ErrorMessage text={text.errors[cause]} about={device ? text.device[device] : undefined}>
      {device && (
        <button type="button" onClick={() => void meeting.retry(device)}>
          {text.controls.retryDevice}
        </button>
      )}
      <DismissButton
        onClick={() => {
          meeting.error.value = null;
        }}
      />
    </ErrorMessage>
  );
}

interface NoticeLineProps extends AlertsProps {
  readonly notice: Notice;
}

/** The live region has announced it: this is what is seen. */
function NoticeLine(props: NoticeLineProps) {
  const { notice, meeting } = props;
  const dismiss = () => meeting.notices.dismiss(notice.kind);
  return (
    <div class="message" data-notice={notice.kind}>
      <p>{textOf(notice)}</p>
      {notice.kind !== "from_console" && (
        <button
          type="button"
          onClick={() => {
            dismiss();
            act(notice, props);
          }}
        >
          {text.notices.actions[notice.kind]}
        </button>
      )}
      <DismissButton onClick={dismiss} />
    </div>
  );
}

function textOf(notice: Notice): string {
  if (notice.kind === "device_added" || notice.kind === "device_replaced")
    return text.notices[notice.kind](notice.device, notice.label);
  if (notice.kind === "lobby") return text.notices.lobby(notice.count);
  if (notice.kind === "from_console") return text.notices.from_console(notice.message);
  return text.notices[notice.kind];
}

const UNMUTES: ReadonlySet<Notice["kind"]> = new Set([
  "muted_by_moderator",
  "ask_to_unmute",
  "speaking_muted",
] as const);

function act(notice: Notice, { meeting, recordings, dialog }: AlertsProps): void {
  if (notice.kind === "lobby") openPanel("people", meeting, recordings);
  else if (notice.kind === "device_added") void use(meeting, notice.device, notice.id);
  else if (notice.kind === "background_slow" || notice.kind === "background_failed")
    void meeting.effects.removeBackground();
  else if (notice.kind === "background_refused") void meeting.camera.set(false);
  else if (notice.kind === "camera_stopped") void meeting.camera.set(true);
  else if (UNMUTES.has(notice.kind)) void meeting.set("microphone", true);
  else dialog.value = "devices";
}

async function use(meeting: Meeting, kind: DeviceKind, id: string): Promise<void> {
  await meeting.selectDevice(kind, id);
  await meeting[kind].set(true);
}

function DismissButton({ onClick }: { readonly onClick: () => void }) {
  return (
    <button type="button" class="quiet" aria-label={text.controls.dismiss} onClick={onClick}>
      <Icon name="close" />
    </button>
  );
}
