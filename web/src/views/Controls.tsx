import type { Signal } from "@preact/signals";
import { useMenu } from "../components/menu.ts";
import { text } from "../i18n/index.ts";
import type { Meeting } from "../session/meeting.ts";
import type { RecordingControl } from "../session/recording_control.ts";
import type { Recordings } from "../session/recordings.ts";
import type { Speaker } from "../session/speaker.ts";
import { ControlButton } from "./ControlButton.tsx";
import { togglePanel } from "./panels.ts";
import { ReactionMenu } from "./Reactions.tsx";

export type OpenDialog = "devices" | "help" | null;

interface ControlsProps {
  readonly meeting: Meeting;
  readonly recordingControl: RecordingControl;
  readonly recordings: Recordings;
  readonly speaker: Pick<Speaker, "canChoose">;
  readonly dialog: Signal<OpenDialog>;
}

const canShareScreen = "getDisplayMedia" in (navigator.mediaDevices ?? {});

/** The control bar. Actions that the role does not permit are not offered; the server refuses them as well. */
export function Controls(props: ControlsProps) {
  const { meeting, recordings } = props;
  const { chat, canPublish, canChat } = meeting;
  return (
    <nav class="controls" aria-label={text.controls.label}>
      {canPublish.value && <PublishControls meeting={meeting} />}
      <HandButton meeting={meeting} />
      {canChat.value && (
        <ControlButton
          id="chat"
          icon="chat"
          label={text.controls.chat}
          hint={chat.unread.value > 0 ? text.controls.chatUnread(chat.unread.value) : undefined}
          badge={chat.unread.value}
          pressed={chat.open.value}
          onClick={() => togglePanel("chat", meeting, recordings)}
        />
      )}
      <MoreControls {...props} />
      <ControlButton id="leave" icon="leave" label={text.controls.leave} onClick={() => void meeting.leave()} />
    </nav>
  );
}

/** What is wanted less often: on a phone it is in a menu, on a wide screen in the row as all else. */
function MoreControls({ meeting, recordingControl, recordings, speaker, dialog }: ControlsProps) {
  const { open, around } = useMenu<HTMLDivElement>(".more-menu button", '[data-control="more"]');
  const canRecord = recordingControl.available.value;
  function onClick({ target }: Event): void {
    // reactions open in the menu
    if (!open.value || (target instanceof Element && target.closest(".reactions-control"))) return;
    open.value = false;
    // what is opened gives the focus back to what has it now
    around.current?.querySelector<HTMLElement>('[data-control="more"]')?.focus();
  }
  return (
    <div ref={around} class="more-controls">
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the buttons' clicks bubble */}
      <div class={open.value ? "more-menu open" : "more-menu"} onClick={onClick}>
        <ReactionMenu meeting={meeting} />
        {canRecord && <RecordButton meeting={meeting} recordingControl={recordingControl} />}
        {meeting.role.value === "moderator" && (canRecord || hasRecordings(recordings)) && (
          <ControlButton
            id="recordings"
            icon="recordings"
            label={text.controls.recordings}
            pressed={recordings.open.value}
            onClick={() => togglePanel("recordings", meeting, recordings)}
          />
        )}
        {(meeting.canPublish.value || speaker.canChoose) && (
          <ControlButton id="devices" icon="devices" label={text.controls.devices} onClick={() => show("devices")} />
        )}
        <ControlButton id="help" icon="help" label={text.controls.help} onClick={() => show("help")} />
      </div>
      <ControlButton
        id="more"
        icon="more"
        label={text.controls.more}
        expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      />
    </div>
  );

  function show(which: OpenDialog): void {
    dialog.value = which;
  }
}

function PublishControls({ meeting }: { readonly meeting: Meeting }) {
  const { controls } = text;
  const microphone = meeting.microphone.on.value;
  const camera = meeting.camera.on.value;
  const isSharing = meeting.screenShare.on.value;
  return (
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
      {meeting.cameraFlip.available.value && (
        <ControlButton id="flip" icon="flip" label={text.before.flip} onClick={() => void meeting.cameraFlip.flip()} />
      )}
      {canShareScreen && (
        <ControlButton
          id="share"
          icon="screen"
          label={isSharing ? controls.shareOn : controls.shareOff}
          active={isSharing}
          onClick={() => void meeting.screenShare.toggle()}
        />
      )}
    </>
  );
}

function HandButton({ meeting: { hand } }: { readonly meeting: Meeting }) {
  const raised = hand.raised.value;
  return (
    <ControlButton
      id="hand"
      icon="hand"
      label={raised ? text.controls.handOn : text.controls.handOff}
      active={raised}
      onClick={() => void hand.toggle()}
    />
  );
}

/** Recordings from before recording was switched off remain available to moderators. */
function hasRecordings({ all }: Recordings): boolean {
  return (all.value?.length ?? 0) > 0;
}

function RecordButton({ meeting, recordingControl }: Pick<ControlsProps, "meeting" | "recordingControl">) {
  const { controls } = text;
  const recording = meeting.recording.value;
  const label = recording ? controls.recordOn : controls.recordOff;

  async function toggle(): Promise<void> {
    const cause = await recordingControl.toggle(recording);
    if (cause) meeting.error.value = { device: null, cause };
  }

  return (
    <ControlButton
      id="record"
      icon="record"
      label={recordingControl.busy.value ? controls.recordBusy : label}
      active={recording}
      onClick={() => void toggle()}
    />
  );
}
