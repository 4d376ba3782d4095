import { useState } from "preact/hooks";
import type { Changeable, SettingsChange } from "../api/types.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { badOriginIn, originsOf } from "../session/origins.ts";
import { AppearancePanel } from "./AppearancePanel.tsx";
import { OtherSettings } from "./OtherSettings.tsx";
import { Field, Loading, RefusalMessage } from "./parts.tsx";
import { RecordingSettingsPanel, RoomDefaultsPanel } from "./RoomSettingsPanels.tsx";
import { type Save, SettingsPanel } from "./SettingsPanel.tsx";

/** What may change while the server runs, and the rest to look at. */
export function GeneralSettings({ console }: { readonly console: Console }) {
  const { state, refusal, saving } = console.settings;
  const settings = state.value;
  if (!settings) return refusal.value ? <RefusalMessage refusal={refusal.value} /> : <Loading />;
  const { participantAuth, embedOrigins, corsOrigins, appearance, roomDefaults, recordings } = settings.changeable;
  const save = async (change: SettingsChange) => {
    if (await console.settings.save(change)) console.notices.show(text.settings.saved);
  };
  // a form begins again with what the server says after each change
  return (
    <>
      <RefusalMessage refusal={saving.refusal.value} />
      <div class="settings-grid">
        <AccessPanel key={keyOf(participantAuth)} setting={participantAuth} save={save} />
        <OriginsPanel key={keyOf(embedOrigins, corsOrigins)} embed={embedOrigins} cors={corsOrigins} save={save} />
        <AppearancePanel key={keyOf(appearance)} setting={appearance} save={save} />
        <RoomDefaultsPanel key={keyOf(roomDefaults)} setting={roomDefaults} save={save} />
        <RecordingSettingsPanel key={keyOf(recordings)} setting={recordings} save={save} />
      </div>
      <OtherSettings settings={settings.settings} />
    </>
  );
}

function keyOf(...settings: readonly Changeable<unknown>[]): string {
  return JSON.stringify(settings.map(({ value }) => value));
}

function AccessPanel({ setting, save }: { readonly setting: Changeable<string>; readonly save: Save }) {
  const [mode, setMode] = useState(setting.value);
  const words = text.settings;
  return (
    <SettingsPanel
      title={words.access}
      hint={words.accessHint}
      settings={{ participantAuth: setting }}
      save={save}
      change={() => ({ participantAuth: mode })}
    >
      <fieldset class="switches">
        <legend class="visually-hidden">{words.access}</legend>
        {Object.entries(words.accessModes).map(([value, label]) => (
          <label key={value} class="checkbox">
            <input type="radio" name="access" value={value} checked={mode === value} onChange={() => setMode(value)} />
            {label}
          </label>
        ))}
      </fieldset>
    </SettingsPanel>
  );
}

interface OriginsPanelProps {
  readonly embed: Changeable<readonly string[]>;
  readonly cors: Changeable<readonly string[]>;
  readonly save: Save;
}

function OriginsPanel({ embed, cors, save }: OriginsPanelProps) {
  const words = text.settings;
  const [embedLines, setEmbedLines] = useState(embed.value.join("\n"));
  const [corsLines, setCorsLines] = useState(cors.value.join("\n"));
  const [tried, setTried] = useState(false);
  const problemOf = (lines: string) => {
    const bad = tried ? badOriginIn(lines) : null;
    return bad && words.badOrigin(bad);
  };
  return (
    <SettingsPanel
      title={words.embedding}
      settings={{ embedOrigins: embed, corsOrigins: cors }}
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
