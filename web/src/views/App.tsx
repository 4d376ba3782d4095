import { useEffect } from "preact/hooks";
import { ErrorBoundary } from "../components/ErrorBoundary.tsx";
import { text } from "../i18n/index.ts";
import type { MeetingPage, PageState } from "../session/page.ts";
import { Announcements } from "./Announcements.tsx";
import { EndScreen } from "./EndScreen.tsx";
import { LobbyScreen } from "./LobbyScreen.tsx";
import { lazyView } from "./lazy.tsx";
import { PreJoin } from "./PreJoin.tsx";
import { ReturnScreen } from "./ReturnScreen.tsx";

/** Loaded with the media code, after the form is shown. */
export const MeetingView = lazyView(async () => (await import("./MeetingView.tsx")).MeetingView);

type Views = {
  [View in PageState["view"]]: (
    page: MeetingPage,
    state: Extract<PageState, { view: View }>,
  ) => preact.JSX.Element | null;
};

const VIEWS: Views = {
  opening: () => (
    <main class="card-page">
      <p class="opening">{text.loading}</p>
    </main>
  ),
  meeting: () => null,
  prejoin: (page) => <PreJoin page={page} />,
  lobby: (page, { waiting }) => <LobbyScreen page={page} waiting={waiting} />,
  returning: (_page, { returning }) => <ReturnScreen returning={returning} />,
  other: (page, { Screen }) => <Screen page={page} />,
  ended: (page, { cause }) => <EndScreen page={page} cause={cause} />,
};

export function App({ page }: { readonly page: MeetingPage }) {
  const state = page.state.value;
  useEffect(() => {
    const name = page.brand.name || text.appName;
    document.title = page.roomTitle ? `${page.roomTitle} · ${name}` : name;
  }, [page]);
  const view = VIEWS[state.view] as (page: MeetingPage, state: PageState) => preact.JSX.Element | null;
  return (
    <>
      <ErrorBoundary part={text.page}>{view(page, state)}</ErrorBoundary>
      <CurrentMeeting page={page} />
      <ErrorBoundary>
        <Announcements announcer={page.announcer} />
      </ErrorBoundary>
    </>
  );
}

/** The meeting. Before it is shown it is drawn where nobody sees it: to draw it takes as long as to connect. */
function CurrentMeeting({ page }: { readonly page: MeetingPage }) {
  const state = page.state.value;
  const isShown = state.view === "meeting";
  const meeting = isShown ? state.meeting : page.upcoming.drawn.value;
  if (!meeting) return null;
  return (
    <div key={meeting} class={isShown ? "" : "not-shown"} inert={!isShown}>
      <ErrorBoundary part={text.page}>
        <MeetingView meeting={meeting} page={page} isShown={isShown} />
      </ErrorBoundary>
    </div>
  );
}
