import { useState } from "preact/hooks";
import { text } from "../i18n/index.ts";
import { allowedOf, preferencesOf } from "../session/allowed.ts";
import { AllowedSwitches } from "./AllowedSwitches.tsx";
import { Field } from "./parts.tsx";
import { type SettingsForm, SettingsPanel } from "./SettingsPanel.tsx";

const DAY_S = 86_400;
const MB = 1_000_000;

/** What a new room is like where its creator does not say. */
export function RoomDefaultsPanel({ state, save }: SettingsForm) {
  const words = text.settings;
  const value = state.values.roomDefaults;
  const [most, setMost] = useState(value.maxParticipants?.toString() ?? "");
  const [days, setDays] = useState(value.lifetimeS ? String(value.lifetimeS / DAY_S) : "");
  const [allowed, setAllowed] = useState(() => allowedOf(value.preferences));
  const change = () => ({
    roomDefaults: {
      ...(most && { maxParticipants: Number(most) }),
      ...(days && { lifetimeS: Math.round(Number(days) * DAY_S) }),
      preferences: preferencesOf(allowed),
    },
  });
  return (
    <SettingsPanel
      title={words.defaults}
      hint={words.defaultsHint}
      state={state}
      names={["roomDefaults"]}
      save={save}
      change={change}
    >
      <div class="field-row">
        <NumberField label={words.lifetime} value={days} onValue={setDays} />
        <NumberField label={text.newRoom.most} hint={words.emptyNoLimit} value={most} onValue={setMost} />
      </div>
      <div class="switches">
        <AllowedSwitches allowed={allowed} onChange={(changed) => setAllowed({ ...allowed, ...changed })} />
      </div>
    </SettingsPanel>
  );
}

/** What recordings hold, and when they end by themselves. */
export function RecordingSettingsPanel({ state, save }: SettingsForm) {
  const words = text.settings;
  const value = state.values.recordings;
  const [preset, setPreset] = useState(value.preset ?? "720p30");
  const [minutes, setMinutes] = useState(shown(value.maxDurationS, 60));
  const [size, setSize] = useState(shown(value.maxBytes, MB));
  const [empty, setEmpty] = useState(shown(value.emptyTimeoutS, 1));
  const [free, setFree] = useState(shown(value.minFreeBytes, MB));
  const change = () => ({
    recordings: {
      preset,
      ...(minutes && { maxDurationS: Math.round(Number(minutes) * 60) }),
      maxBytes: size ? Math.round(Number(size) * MB) : null,
      ...(empty && { emptyTimeoutS: Number(empty) }),
      ...(free && { minFreeBytes: Math.round(Number(free) * MB) }),
    },
  });
  return (
    <SettingsPanel title={words.recording} state={state} names={["recordings"]} save={save} change={change}>
      <Field label={words.preset}>
        {(tied) => (
          <select {...tied} value={preset} onChange={(event) => setPreset(event.currentTarget.value as typeof preset)}>
            {Object.entries(words.presets).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="field-row">
        <NumberField label={words.maxDuration} value={minutes} onValue={setMinutes} />
        <NumberField label={words.maxSize} hint={words.emptyNoLimit} value={size} onValue={setSize} />
        <NumberField label={words.emptyTimeout} value={empty} onValue={setEmpty} />
        <NumberField label={words.minFree} value={free} onValue={setFree} />
      </div>
    </SettingsPanel>
  );
}

function shown(value: number | null | undefined, unit: number): string {
  return value === undefined || value === null ? "" : String(Math.round((value / unit) * 100) / 100);
}

interface NumberFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function NumberField({ label, hint, value, onValue }: NumberFieldProps) {
  return (
    <Field label={label} hint={hint}>
      {(tied) => (
        <input
          {...tied}
          type="number"
          min="0"
          step="any"
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
