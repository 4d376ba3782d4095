import { useId } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { DeviceOption } from "../session/devices.ts";

interface DeviceSelectProps {
  readonly label: string;
  readonly options: readonly DeviceOption[];
  readonly selectedId: string;
  readonly onSelect: (id: string) => void;
}

/** Which device to use. Before permission is given browsers list no labels, so there is nothing to select. */
export function DeviceSelect({ label, options, selectedId, onSelect }: DeviceSelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={selectedId}
        disabled={options.length === 0}
        onChange={(event) => onSelect(event.currentTarget.value)}
      >
        {!options.some((option) => option.id === selectedId) && (
          <option value={selectedId}>{text.device.defaultChoice}</option>
        )}
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
