import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Changeable, ChangeableSettings, SettingsChange } from "../api/types.ts";
import { text } from "../i18n/index.ts";

export type Save = (change: SettingsChange) => Promise<void>;

interface PanelProps {
  readonly title: string;
  readonly hint?: string;
  /** The names of the settings that this form holds, and whether each has been changed here. */
  readonly settings: Readonly<Partial<Record<keyof ChangeableSettings, Changeable<unknown>>>>;
  readonly save: Save;
  /** What to save; null where something in the form is wrong. */
  readonly change: () => SettingsChange | null;
  readonly children: ComponentChildren;
}

/** A form for some settings, which says where their values come from and can give them back. */
export function SettingsPanel({ title, hint, settings, save, change, children }: PanelProps) {
  const id = useId();
  const entries = Object.entries(settings);
  const isOwn = entries.some(([, setting]) => isChangedHere(setting.source));
  const sources = [...new Set(entries.map(([, { source }]) => text.settings.sources[source] ?? source))];
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
        <span class="source">{sources.join(", ")}</span>
      </div>
      {hint && <p class="hint">{hint}</p>}
      {children}
      <div class="panel-actions">
        {isOwn && (
          <button
            type="button"
            aria-label={text.settings.resetOf(title)}
            onClick={() => void save(Object.fromEntries(entries.map(([name]) => [name, null])))}
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

export function isChangedHere(source: string): boolean {
  return source === "console" || source === "stored";
}
