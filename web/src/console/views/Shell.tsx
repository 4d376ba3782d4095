import { useEffect, useRef } from "preact/hooks";
import { ErrorBoundary } from "../../components/ErrorBoundary.tsx";
import { lazyView } from "../../views/lazy.tsx";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { hrefOf, type Route, SECTIONS } from "../session/router.ts";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { Brand } from "./LoginView.tsx";
import { ROOM_DIALOGS, RoomsView } from "./RoomsView.tsx";
import type { RoomViewProps } from "./RoomView.tsx";

type Props = { readonly console: Console };

const RoomView = lazyView<RoomViewProps>(async () => (await import("./RoomView.tsx")).RoomView);
const RecordingsView = lazyView<Props>(async () => (await import("./RecordingsView.tsx")).RecordingsView);
const InsightView = lazyView<Props>(async () => (await import("./InsightView.tsx")).InsightView);
const HealthView = lazyView<Props>(async () => (await import("./HealthView.tsx")).HealthView);
const SettingsView = lazyView<Props>(async () => (await import("./SettingsView.tsx")).SettingsView);

/** Until then the first screen is there. */
const IDLE_MS = 1500;
const LATER = [RoomView, RecordingsView, HealthView, SettingsView, InsightView, ...ROOM_DIALOGS];

/** The frame around every screen: where one can go, and what the server tells. */
export function Shell({ console }: Props) {
  const route = console.router.route.value;
  const main = useRef<HTMLElement>(null);
  const place = `${route.section}/${route.item}`;
  const firstPlace = useRef(place);
  // once there is nothing else to do: then screens open at once, also while the server is away
  useEffect(() => whenIdle(() => Promise.allSettled(LATER.map((view) => view.load()))), []);
  useEffect(() => {
    if (firstPlace.current === place) return;
    firstPlace.current = "";
    // a screen reader goes on at the new screen, and so does Tab
    main.current?.focus();
    scrollTo(0, 0);
  }, [place]);
  return (
    <div class="shell">
      <button type="button" class="skip primary" onClick={() => main.current?.focus()}>
        {text.skip}
      </button>
      <header class="bar">
        <Brand console={console} />
        <nav aria-label={text.navigation}>
          <ul>
            {SECTIONS.map((section) => (
              <li key={section}>
                <a href={hrefOf(section)} aria-current={route.section === section ? "page" : undefined}>
                  <ConsoleIcon name={section} />
                  <span>{text.sections[section]}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="bar-end">
          <a href="/docs/" target="_blank" rel="noopener">
            <ConsoleIcon name="docs" />
            <span>{text.documentation}</span>
          </a>
          <button type="button" onClick={() => void console.logOut()}>
            <ConsoleIcon name="logout" />
            <span>{text.logOut}</span>
          </button>
        </div>
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {console.cutOff.value && <CutOff console={console} />}
        <ErrorBoundary key={route.section} part={text.sections[route.section]}>
          <Screen console={console} route={route} />
        </ErrorBoundary>
      </main>
      <Notice console={console} />
    </div>
  );
}

function Screen({ console, route }: Props & { readonly route: Route }) {
  switch (route.section) {
    case "recordings":
      return <RecordingsView console={console} />;
    case "insight":
      return <InsightView console={console} />;
    case "health":
      return <HealthView console={console} />;
    case "settings":
      return <SettingsView console={console} />;
    default:
      if (route.item) return <RoomView key={route.item} console={console} name={route.item} />;
      return <RoomsView console={console} />;
  }
}

function CutOff({ console }: Props) {
  return (
    <div class="message cut-off" role="alert">
      <p>{text.cutOff}</p>
      <button type="button" onClick={() => console.events.retry()}>
        {text.retry}
      </button>
    </div>
  );
}

/** Always there, so that screen readers notice what comes into it. */
function Notice({ console }: Props) {
  const sentence = console.notices.current.value;
  return (
    <div class={sentence ? "notice shown" : "notice"} role="status">
      {sentence}
    </div>
  );
}

/** Returns what cancels it. */
function whenIdle(act: () => unknown): () => void {
  const timer = setTimeout(act, IDLE_MS);
  return () => clearTimeout(timer);
}
