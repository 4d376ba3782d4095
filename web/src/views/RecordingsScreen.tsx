import { text } from "../i18n/index.ts";
import type { MeetingPage } from "../session/page.ts";
import { CloseButton } from "./CloseButton.tsx";
import { RecordingDialogs } from "./RecordingDialogs.tsx";
import { RecordingsList } from "./RecordingsPanel.tsx";

/** The recordings in place of a meeting. */
export function RecordingsScreen({ page }: { readonly page: MeetingPage }) {
  const { recordings } = page;
  const isOne = recordings.all.value === null && recordings.playing.value !== null;
  return (
    <main class="card-page">
      <section class="card recordings-screen">
        <h1>{page.roomTitle || page.brand.name || text.appName}</h1>
        <h2>{text.recordings.title}</h2>
        {!isOne && <RecordingsList recordings={recordings} />}
        <RecordingDialogs recordings={recordings} />
        <CloseButton page={page} />
      </section>
    </main>
  );
}
