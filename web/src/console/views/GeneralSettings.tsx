import { useState } from "preact/hooks";
import type { SettingName, SettingsChange } from "../api/types.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { badOriginIn, originsOf } from "../session/origins.ts";
import { AppearancePanel } from "./AppearancePanel.tsx";
import { OtherSettings } from "./OtherSettings.tsx";
import { Field, Loading, RefusalMessage } from "./parts.tsx";
import { RecordingSettingsPanel, RoomDefaultsPanel } from "./RoomSettingsPanels.tsx";
import { type SettingsForm, SettingsPanel } from "./SettingsPanel.tsx";

/** What may change while the server runs, and the rest to look at. */
export function GeneralSettings({ console }: { readonly console: Console }) {
  const { state, refusal, saving } = console.settings;
  const settings = state.value;
  if (!settings) return refusal.value ? <RefusalMessage refusal={refusal.value} /> : <Loading />;
  const save = async (change: SettingsChange) => {
    if (await console.settings.save(change)) console.notices.show(text.settings.saved);
  };
  // a form begins again with what the server says after each change of its settings
  const key = (...names: readonly SettingName[]) => JSON.stringify(names.map((name) => settings.values[name]));
  const form = { state: settings, save };
  return (
    <>
      <RefusalMessage refusal={saving.refusal.value} />
      <div class="settings-grid">
        <AccessPanel key={key("participantAuth")} {...form} />
        <OriginsPanel key={key("embedOrigins", "corsOrigins")} {...form} />
        <AppearancePanel key={key("appearance")} {...form} />
        <RoomDefaultsPanel key={key("roomDefaults")} {...form} />
        <RecordingSettingsPanel key={key("recordings")} {...form} />
      </div>
      <OtherSettings settings={settings.settings} />
    </>
  );
}

function AccessPanel({ state, save }: SettingsForm) {
  const [mode, setMode] = useState(state.values.participantAuth);
  const words = text.settings;
  return (
    <SettingsPanel
      title={words.access}
      hint={words.accessHint}
      state={state}
      names={["participantAuth"]}
      save={save}
      change={() => ({ participantAuth: mode })}
    >
      <fieldset class="switches">
        <legend class="visually-hidden">{words.access}</legend>
        {Object.entries(words.accessModes).map(([value, label]) => (
          <label key={value} class="checkbox">
            <input
              type="radio"
              name="access"
              value={value}
              checked={mode === value}
              onChange={() => setMode(value as typeof mode)}
            />
            {label}
          </label>
        ))}
      </fieldset>
    </SettingsPanel>
  );
}

function OriginsPanel({ state, save }: SettingsForm) {
  const words = text.settings;
  const [embedLines, setEmbedLines] = useState(state.values.embedOrigins.join("\n"));
  const [corsLines, setCorsLines] = useState(state.values.corsOrigins.join("\n"));
  const [tried, setTried] = useState(false);
  const problemOf = (lines: string) => {
    const bad = tried ? badOriginIn(lines) : null;
    return bad && words.badOrigin(bad);
  };
  return (
    <SettingsPanel
      title={words.embedding}
      state={state}
      names={["embedOrigins", "corsOrigins"]}
      save={save}
      change={() => {
        setTried(true);
        if (badOriginIn(embedLines) || badOriginIn(corsLines)) return null;
        return { embedOrigins: originsOf(embedLines), corsOrigins: originsOf(corsLines) };
      }}
    >
      <Lines label={words.embedOrigins} lines={embedLines} problem={problemOf(embedLines)} onLines={setEmbedLines} />
      <Lines label={words.corsOrigins} lines={corsLines} problem={problemOf(corsLines)} onLines={setCorsLines} />
    </SettingsPanel>
  );
}

interface LinesProps {
  readonly label: string;
  readonly lines: string;
  readonly problem: string | null;
  readonly onLines: (lines: string) => void;
}

function Lines({ label, lines, problem, onLines }: LinesProps) {
  return (
    <Field label={label} hint={text.settings.originsHint} problem={problem}>
      {(tied) => (
        <textarea
          {...tied}
          rows={3}
          spellcheck={false}
          value={lines}
          onInput={(event) => onLines(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
