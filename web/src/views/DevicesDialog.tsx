import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { DeviceSelect } from "../components/DeviceSelect.tsx";
import { Dialog } from "../components/Dialog.tsx";
import { ErrorMessage } from "../components/ErrorMessage.tsx";
import { SpeakerField } from "../components/SpeakerField.tsx";
import { text } from "../i18n/index.ts";
import type { DeviceKind, DeviceOption, LocalDevices } from "../session/devices.ts";
import type { Layout } from "../session/layout.ts";
import type { Meeting } from "../session/meeting.ts";
import type { PageStorage } from "../session/storage.ts";
import { EffectSettings } from "./EffectsButton.tsx";

interface DevicesDialogProps {
  readonly meeting: Meeting;
  readonly devices: LocalDevices;
  readonly layout: Layout;
  readonly storage: PageStorage;
  readonly onClose: () => void;
}

/** Selects another camera, microphone or speaker during a meeting: those who publish nothing have the speaker alone. */
export function DevicesDialog({ meeting, devices, layout, storage, onClose }: DevicesDialogProps) {
  const version = meeting.devices.version.value;
  const canPublish = meeting.canPublish.value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list follows the system's devices
  useEffect(() => void devices.list(), [devices, version]);
  return (
    <Dialog title={text.devicesDialog.title} onClose={onClose}>
      {canPublish && (
        <>
          <LiveDevice kind="microphone" meeting={meeting} />
          <LiveDevice kind="camera" meeting={meeting} />
        </>
      )}
      <SpeakerField speaker={devices.speaker} />
      {canPublish && <OwnMedia meeting={meeting} layout={layout} storage={storage} />}
    </Dialog>
  );
}

/** What is done to the user's own picture and sound. */
function OwnMedia({ meeting, layout, storage }: Pick<DevicesDialogProps, "meeting" | "layout" | "storage">) {
  return (
    <>
      <EffectSettings background={meeting.effects.background} noise={meeting.effects.noise} />
      <label class="checkbox">
        <input
          type="checkbox"
          checked={layout.hideSelf.value}
          onChange={(event) => {
            layout.hideSelf.value = event.currentTarget.checked;
            storage.savePreferences({ hideSelf: event.currentTarget.checked });
          }}
        />
        {text.devicesDialog.hideSelf}
      </label>
      <label class="checkbox">
        <input
          type="checkbox"
          checked={meeting.devices.hearsMuted.value}
          onChange={(event) => {
            meeting.devices.hearsMuted.value = event.currentTarget.checked;
            storage.savePreferences({ hearsMuted: event.currentTarget.checked });
          }}
        />
        {text.before.hearsMuted}
      </label>
    </>
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
  async function select(id: string): Promise<void> {
    selectedId.value = id;
    await meeting.selectDevice(kind, id);
    if (meeting.error.value?.chosenId === id) selectedId.value = meeting.selectedDeviceId(kind);
  }
  const failure = meeting.error.value;
  return (
    <div class="device">
      <DeviceSelect
        label={text.device[kind]}
        options={options.value}
        selectedId={selectedId.value}
        onSelect={(id) => void select(id)}
      />
      {failure?.device === kind && <ErrorMessage text={text.errors[failure.cause]} about={text.device[kind]} />}
    </div>
  );
}
