import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { DeviceSelect } from "../components/DeviceSelect.tsx";
import { Dialog } from "../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { DeviceKind, DeviceOption } from "../session/devices.ts";
import type { Meeting } from "../session/meeting.ts";

interface DevicesDialogProps {
  readonly meeting: Meeting;
  readonly onClose: () => void;
}

/** Selects another camera or microphone during a meeting. */
export function DevicesDialog({ meeting, onClose }: DevicesDialogProps) {
  return (
    <Dialog title={text.devicesDialog.title} onClose={onClose}>
      <LiveDevice kind="microphone" meeting={meeting} />
      <LiveDevice kind="camera" meeting={meeting} />
    </Dialog>
  );
}

function LiveDevice({ kind, meeting }: { readonly kind: DeviceKind; readonly meeting: Meeting }) {
  const options = useSignal<readonly DeviceOption[]>([]);
  const selectedId = useSignal(meeting.selectedDeviceId(kind));
  const version = meeting.devices.version.value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list follows the system's devices
  useEffect(() => {
    void meeting.devices.options(kind).then((found) => {
      options.value = found;
    });
  }, [meeting, kind, options, version]);
  return (
    <DeviceSelect
      kind={kind}
      options={options.value}
      selectedId={selectedId.value}
      onSelect={(id) => {
        selectedId.value = id;
        void meeting.selectDevice(kind, id);
      }}
    />
  );
}
