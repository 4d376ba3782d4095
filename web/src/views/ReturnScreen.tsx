import { useLayoutEffect, useRef } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { Returning } from "../session/returning.ts";

/** The connection was lost for longer: the page waits for the network and comes back by itself. */
export function ReturnScreen({ returning }: { readonly returning: Returning }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <main class="card-page">
      <section class="card end-screen" data-testid="returning">
        <h1 ref={heading} tabIndex={-1}>
          {text.returning.title}
        </h1>
        <p>{text.returning.advice}</p>
        <div class="card-actions">
          <button type="button" class="primary" onClick={() => returning.tryNow()}>
            {text.returning.tryNow}
          </button>
          <button type="button" onClick={() => returning.stop()}>
            {text.controls.leave}
          </button>
        </div>
      </section>
    </main>
  );
}
