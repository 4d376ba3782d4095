import type { Announcer } from "../session/announcer.ts";

/** The live region: heard, not seen. It stays in the page for good, since one that comes with its words is not read out. */
export function Announcements({ announcer }: { readonly announcer: Announcer }) {
  return (
    <div class="heard-only" role="log" aria-live="polite" aria-relevant="additions">
      {announcer.sentences.value.map(({ id, words }) => (
        <p key={id}>{words}</p>
      ))}
    </div>
  );
}
