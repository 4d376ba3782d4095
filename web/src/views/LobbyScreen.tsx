import { useLayoutEffect, useRef } from "preact/hooks";
import { BrandMark } from "../components/BrandMark.tsx";
import { text } from "../i18n/index.ts";
import type { LobbyWait } from "../session/lobby_wait.ts";
import type { MeetingPage } from "../session/page.ts";
import { CameraPanel } from "./PreJoin.tsx";

/** A guest waits to be let in, and sees no one but himself. */
export function LobbyScreen({ page, waiting }: { readonly page: MeetingPage; readonly waiting: LobbyWait }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <main class="card-page">
      <section class="card end-screen" data-testid="lobby">
        <BrandMark brand={page.brand} />
        <h1 ref={heading} tabIndex={-1}>
          {text.lobby.title}
        </h1>
        <p>{text.lobby.advice}</p>
        {page.role.value !== "viewer" && <CameraPanel devices={page.devices} background={page.background} />}
        <div class="card-actions">
          <button type="button" onClick={() => waiting.leave()}>
            {text.controls.leave}
          </button>
        </div>
      </section>
    </main>
  );
}
