import { useSignal } from "@preact/signals";
import { text } from "../i18n/index.ts";
import type { MeetingPage } from "../session/page.ts";
import { lazyView } from "./lazy.tsx";

/** Background and noise suppression: nothing of them is loaded before they are shown. */
export const EffectSettings = lazyView(async () => (await import("./EffectSettings.tsx")).EffectSettings);
const EffectsDialog = lazyView(async () => (await import("./EffectSettings.tsx")).EffectsDialog);

/** Opens background and noise suppression before the meeting. */
export function EffectsButton({ page }: { readonly page: MeetingPage }) {
  const isOpen = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="effects-button"
        onClick={() => {
          isOpen.value = true;
        }}
      >
        {text.effects.open}
      </button>
      {isOpen.value && (
        <EffectsDialog
          page={page}
          onClose={() => {
            isOpen.value = false;
          }}
        />
      )}
    </>
  );
}
