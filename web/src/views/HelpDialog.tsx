import type { Signal } from "@preact/signals";
import { Dialog } from "../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { PageStorage } from "../session/storage.ts";

interface HelpDialogProps {
  readonly shortcutsOn: Signal<boolean>;
  readonly storage: PageStorage;
  readonly onClose: () => void;
}

/** The keyboard shortcuts, and the switch that WCAG 2.1.4 asks for: single keys get in the way of speech input. */
export function HelpDialog({ shortcutsOn, storage, onClose }: HelpDialogProps) {
  return (
    <Dialog title={text.help.title} onClose={onClose}>
      <h3>{text.help.shortcuts}</h3>
      <dl class="keys">
        {Object.entries(text.help.keys).map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key === "Space" ? text.before.space : key.length === 1 ? key.toUpperCase() : key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <label class="checkbox">
        <input
          type="checkbox"
          checked={shortcutsOn.value}
          onChange={(event) => {
            shortcutsOn.value = event.currentTarget.checked;
            storage.savePreferences({ shortcutsOn: event.currentTarget.checked });
          }}
        />
        {text.help.enabled}
      </label>
    </Dialog>
  );
}
