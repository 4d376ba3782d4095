import type { Signal } from "@preact/signals";
import { Dialog } from "../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { MeetingPage } from "../session/page.ts";

interface HelpDialogProps {
  readonly shortcutsOn: Signal<boolean>;
  readonly page: Pick<MeetingPage, "storage" | "announcer">;
  readonly onClose: () => void;
}

/** The keyboard shortcuts, and the switch that WCAG 2.1.4 asks for: single keys get in the way of speech input. */
export function HelpDialog({ shortcutsOn, page: { storage, announcer }, onClose }: HelpDialogProps) {
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
      <label class="checkbox">
        <input
          type="checkbox"
          checked={announcer.readsSignals.value}
          onChange={(event) => {
            announcer.readsSignals.value = event.currentTarget.checked;
            storage.savePreferences({ readsSignals: event.currentTarget.checked });
          }}
        />
        {text.access.readSignals}
      </label>
    </Dialog>
  );
}
