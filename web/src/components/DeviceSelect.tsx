import { useId } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { DeviceChoice, DeviceKind } from "../session/devices.ts";

interface DeviceSelectProps {
  readonly kind: DeviceKind;
  readonly choices: readonly DeviceChoice[];
  readonly chosenId: string;
  readonly onChoose: (id: string) => void;
}

/** Which camera or microphone to use. Without names to choose from (no permission yet) there is nothing to choose. */
export function DeviceSelect({ kind, choices, chosenId, onChoose }: DeviceSelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{text.device[kind]}</label>
      <select
        id={id}
        value={chosenId}
        disabled={choices.length === 0}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {!choices.some((choice) => choice.id === chosenId) && (
          <option value={chosenId}>{text.device.defaultChoice}</option>
        )}
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.label}
          </option>
        ))}
      </select>
    </div>
  );
}
