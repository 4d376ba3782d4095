import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { DeviceSelect } from "../components/DeviceSelect.tsx";
import { Dialog } from "../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { DeviceChoice, DeviceKind } from "../session/devices.ts";
import type { Meeting } from "../session/meeting.ts";

interface DevicesDialogProps {
  readonly meeting: Meeting;
  readonly onClose: () => void;
}

/** Another camera or microphone, in the middle of a meeting. */
export function DevicesDialog({ meeting, onClose }: DevicesDialogProps) {
  return (
    <Dialog title={text.devicesDialog.title} onClose={onClose}>
      <LiveDevice kind="microphone" meeting={meeting} />
      <LiveDevice kind="camera" meeting={meeting} />
    </Dialog>
  );
}

function LiveDevice({ kind, meeting }: { readonly kind: DeviceKind; readonly meeting: Meeting }) {
  const choices = useSignal<readonly DeviceChoice[]>([]);
  const chosenId = useSignal(meeting.chosenId(kind));
  useEffect(() => {
    void meeting.choices(kind).then((found) => {
      choices.value = found;
    });
  }, [meeting, kind, choices]);
  return (
    <DeviceSelect
      kind={kind}
      choices={choices.value}
      chosenId={chosenId.value}
      onChoose={(id) => {
        chosenId.value = id;
        void meeting.choose(kind, id);
      }}
    />
  );
}
