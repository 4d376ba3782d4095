import { useEffect, useRef } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { MeetingPage } from "../session/page.ts";
import type { Recordings } from "../session/recordings.ts";
import { type Cause, isFinal } from "../trouble.ts";
import { RecordingDialogs } from "./RecordingDialogs.tsx";
import { RecordingsList } from "./RecordingsPanel.tsx";

/** The end of the way: the person left, or why there is no meeting (any more), and what to do. */
export function Stopped({ page, cause }: { readonly page: MeetingPage; readonly cause: Cause | null }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const words = cause ? text.trouble[cause] : text.stopped.left;
  return (
    <main class="card-page">
      <section class="card stopped" data-cause={cause ?? "left"}>
        <h1 ref={heading} tabIndex={-1}>
          {words.title}
        </h1>
        <p>{words.advice}</p>
        {!(cause && isFinal(cause)) && (
          <button type="button" class="primary" onClick={() => void page.open()}>
            {cause ? text.stopped.retry : text.stopped.again}
          </button>
        )}
        {cause !== "removed" && <RecordingsAfterwards recordings={page.recordings} />}
      </section>
    </main>
  );
}

/** What was recorded, for the moderator who was in the meeting: it is often looked at when the meeting is over. */
function RecordingsAfterwards({ recordings }: { readonly recordings: Recordings }) {
  useEffect(() => {
    if (recordings.all.value) recordings.show(true);
    return () => recordings.show(false);
  }, [recordings]);
  if (!recordings.all.value?.length) return null;
  return (
    <section aria-label={text.recordings.title}>
      <h2>{text.recordings.title}</h2>
      <RecordingsList recordings={recordings} />
      <RecordingDialogs recordings={recordings} />
    </section>
  );
}
