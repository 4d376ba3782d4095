import { useEffect, useState } from "preact/hooks";
import { timeOf } from "../../i18n/format.ts";
import type { Status } from "../api/types.ts";
import { bytesOf, numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { CHECKS, verdictOf } from "../session/connection_test.ts";
import type { Console } from "../session/console.ts";
import { Health } from "../session/health.ts";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { Loading, RefusalMessage } from "./parts.tsx";

const GOOD: ReadonlySet<string> = new Set(["ok"]);

/** Whether everything works, on the server and from here. */
export function HealthView({ console }: { readonly console: Console }) {
  const [health] = useState(() => new Health(console.server));
  useEffect(() => void health.look(), [health]);
  const status = health.status.value;
  const lookedAt = health.lookedAt.value;
  return (
    <>
      <header class="screen-head">
        <h1>{text.health.title}</h1>
        {lookedAt && <span class="hint">{text.health.lookedAt(timeOf(lookedAt))}</span>}
        <button type="button" onClick={() => void health.look()}>
          <ConsoleIcon name="rotate" />
          {text.health.refresh}
        </button>
      </header>
      <RefusalMessage refusal={health.refusal.value} />
      {!status && !health.refusal.value && <Loading />}
      {status && <Parts status={status} />}
      <ConnectionPanel health={health} />
    </>
  );
}

function Parts({ status: { database, disk, media, recorders, version } }: { readonly status: Status }) {
  const words = text.health;
  const { capacity, running = 0, waiting: queued = 0 } = recorders;
  const freeDisk =
    disk.free !== undefined && disk.total !== undefined ? words.free(bytesOf(disk.free), bytesOf(disk.total)) : "";
  const load = media.rooms !== undefined ? words.load(numberOf(media.rooms), numberOf(media.participants ?? 0)) : "";
  const waiting = queued > 0 ? words.waiting(numberOf(queued)) : "";
  return (
    <ul class="parts">
      <Part name={words.database} state={database.state} facts={[words.kinds[database.kind] ?? database.kind]} />
      <Part name={words.disk} state={disk.state} facts={[freeDisk]} />
      <Part name={words.media} state={media.state} facts={[media.embedded ? words.embedded : words.external, load]} />
      <Part
        name={words.recorders}
        state={capacity > 0 ? "ok" : "unavailable"}
        facts={[words.running(numberOf(running), numberOf(capacity)), waiting]}
      />
      <Part name={words.version} facts={[version]} />
    </ul>
  );
}

interface PartProps {
  readonly name: string;
  readonly state?: string;
  readonly facts: readonly string[];
}

function Part({ name, state, facts }: PartProps) {
  const good = state === undefined || GOOD.has(state);
  return (
    <li class="panel part" data-state={state}>
      <h2>{name}</h2>
      {state !== undefined && (
        <p class={good ? "part-state good" : "part-state bad"}>
          <ConsoleIcon name={good ? "works" : "warn"} />
          {text.health.states[state] ?? state}
        </p>
      )}
      {facts.filter(Boolean).map((fact) => (
        <p key={fact} class="hint">
          {fact}
        </p>
      ))}
    </li>
  );
}

function ConnectionPanel({ health }: { readonly health: Health }) {
  const words = text.health;
  const { test } = health;
  const results = test.results.value;
  const verdict = verdictOf(test.results);
  const tested = results.signal !== "waiting";
  return (
    <section class="panel" aria-labelledby="connection">
      <h2 id="connection">{words.connection}</h2>
      <p class="hint">{words.connectionHint}</p>
      <RefusalMessage refusal={health.testRefusal.value} />
      {tested && (
        <ul class="checks">
          {CHECKS.map((check) => (
            <li key={check} data-check={check} data-result={results[check]}>
              <span class="check-icon">
                {results[check] === "works" && <ConsoleIcon name="works" />}
                {results[check] === "fails" && <ConsoleIcon name="warn" />}
              </span>
              <div>
                <strong>{words.checks[check]}</strong> <span>{words.results[results[check]]}</span>
                {results[check] === "fails" && <p class="hint">{words.advice[check]}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
      <p role="status" class={verdict === "good" ? "verdict good" : "verdict"}>
        {test.running.value ? words.testing : verdict && words.verdicts[verdict]}
      </p>
      <button type="button" class="primary" disabled={test.running.value} onClick={() => void health.runTest()}>
        {tested ? words.again : words.test}
      </button>
    </section>
  );
}
