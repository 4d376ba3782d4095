import { text } from "../i18n/index.ts";
import type { MeetingPage } from "../session/page.ts";

/** Gives the space back to the page around, where there is one. */
export function CloseButton({ page }: { readonly page: MeetingPage }) {
  const close = page.close.value;
  return (
    close && (
      <button type="button" onClick={close}>
        {text.controls.close}
      </button>
    )
  );
}
