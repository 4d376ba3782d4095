import { useState } from "preact/hooks";
import type { ShownSetting } from "../api/types.ts";
import { text } from "../i18n/index.ts";

/** Every setting with its value and where it comes from. */
export function OtherSettings({ settings }: { readonly settings: readonly ShownSetting[] }) {
  const words = text.settings;
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const shown = settings.filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(wanted));
  return (
    <section class="panel" aria-labelledby="other-settings">
      <h2 id="other-settings">{words.others}</h2>
      <p class="hint">{words.othersHint}</p>
      <input
        type="search"
        aria-label={words.filter}
        placeholder={words.filter}
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <ul class="setting-list">
        {shown.map((setting) => (
          <li key={setting.name}>
            <div>
              <code>{setting.name}</code>
              {setting.description && <p class="hint">{setting.description}</p>}
            </div>
            <div class="setting-value">
              <span class="visually-hidden">{words.value}: </span>
              <code>{setting.value || words.notSet}</code>
              <span class="source">{words.sources[setting.source] ?? setting.source}</span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
