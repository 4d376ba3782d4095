import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { SettingName, Settings, SettingsChange } from "../api/types.ts";
import { text } from "../i18n/index.ts";
import { sourceOf } from "../session/settings.ts";

type Save = (change: SettingsChange) => Promise<void>;

/** What a form of settings begins with, and how it ends. */
export interface SettingsForm {
  readonly state: Settings;
  readonly save: Save;
}

interface PanelProps {
  readonly title: string;
  readonly hint?: string;
  readonly state: Settings;
  /** The settings that this form holds. */
  readonly names: readonly SettingName[];
  readonly save: Save;
  /** What to save; null where something in the form is wrong. */
  readonly change: () => SettingsChange | null;
  readonly children: ComponentChildren;
}

/** A form for some settings, which says where their values come from and can give them back. */
export function SettingsPanel({ title, hint, state, names, save, change, children }: PanelProps) {
  const id = useId();
  const sources = names.map((name) => sourceOf(state, name));
  const shown = [...new Set(sources)].map((source) => text.settings.sources[source] ?? source);
  return (
    <form
      class="panel"
      aria-labelledby={id}
      onSubmit={(event) => {
        event.preventDefault();
        const changed = change();
        if (changed) void save(changed);
      }}
    >
      <div class="panel-title">
        <h2 id={id}>{title}</h2>
        <span class="source">{shown.join(", ")}</span>
      </div>
      {hint && <p class="hint">{hint}</p>}
      {children}
      <div class="panel-actions">
        {sources.includes("stored") && (
          <button
            type="button"
            aria-label={text.settings.resetOf(title)}
            onClick={() => void save(Object.fromEntries(names.map((name) => [name, null])))}
          >
            {text.settings.reset}
          </button>
        )}
        <button type="submit" class="primary">
          {text.settings.save}
        </button>
      </div>
    </form>
  );
}
