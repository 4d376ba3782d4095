import type { Announcer } from "../session/announcer.ts";

/** The live region. It is in the page from the start: screen readers do not read one that appears with its text. */
export function Announcements({ announcer }: { readonly announcer: Announcer }) {
  return (
    <div class="visually-hidden" role="log" aria-live="polite" aria-relevant="additions">
      {announcer.announcements.value.map(({ id, message }) => (
        <p key={id}>{message}</p>
      ))}
    </div>
  );
}
