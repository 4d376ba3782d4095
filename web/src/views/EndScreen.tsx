import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Cause, isFinal } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import type { MeetingPage } from "../session/page.ts";
import type { Recordings } from "../session/recordings.ts";
import { CloseButton } from "./CloseButton.tsx";
import { lazyView } from "./lazy.tsx";

const RecordingDialogs = lazyView(async () => (await import("./RecordingDialogs.tsx")).RecordingDialogs);
const RecordingsList = lazyView(async () => (await import("./RecordingsPanel.tsx")).RecordingsList);

/** The user left, or why there is no meeting (any more), and what to do. */
export function EndScreen({ page, cause }: { readonly page: MeetingPage; readonly cause: Cause | null }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  const { title, advice } = cause ? text.errors[cause] : text.ended.left;
  return (
    <main class="card-page">
      <section class="card end-screen" data-cause={cause ?? "left"}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <p>{advice}</p>
        {!(cause && isFinal(cause)) && (
          <button type="button" class="primary" onClick={() => void page.open()}>
            {cause ? text.ended.retry : text.ended.again}
          </button>
        )}
        <CloseButton page={page} />
        {cause !== "removed" && <MeetingRecordings recordings={page.recordings} />}
      </section>
    </main>
  );
}

/** The recordings, for a moderator who was in the meeting: they are often wanted after it. */
function MeetingRecordings({ recordings }: { readonly recordings: Recordings }) {
  useEffect(() => {
    if (recordings.all.value) recordings.show(true);
    return () => recordings.show(false);
  }, [recordings]);
  if (!recordings.all.value?.length) return null;
  return (
    <section aria-label={text.recordings.title}>
      <h2>{text.recordings.title}</h2>
      <RecordingsList recordings={recordings} />
      {recordings.hasDialog.value && <RecordingDialogs recordings={recordings} />}
    </section>
  );
}
