import { type ReadonlySignal, signal } from "@preact/signals-core";

export const CHECKS = ["signal", "udp", "tcp", "turn"] as const;
export type Check = (typeof CHECKS)[number];
export type Result = "waiting" | "running" | "works" | "fails" | "skipped";
export type Verdict = "good" | "noUdp" | "none" | "noSignal";

/** Runs one check against the media server. */
export type RunCheck = (check: Check) => Promise<"works" | "fails" | "skipped">;
/** A meeting for the test alone. */
export interface TestMeeting {
  readonly url: string;
  readonly token: string;
  /** Ends it and takes its room away. */
  close(): Promise<void>;
}

export interface Checks {
  readonly run: RunCheck;
  close(): Promise<void>;
}

/** Which ways of media work from this browser. */
export class ConnectionTest {
  readonly results = signal<Readonly<Record<Check, Result>>>(all("waiting"));
  readonly running = signal(false);
  readonly #load: () => Promise<Checks>;

  constructor(load: () => Promise<Checks>) {
    this.#load = load;
  }

  /** @throws what `load` throws, where the test cannot begin */
  async run(): Promise<void> {
    this.running.value = true;
    this.results.value = all("waiting");
    try {
      const checks = await this.#load();
      await this.#runAll(checks).finally(() => checks.close());
    } finally {
      this.running.value = false;
    }
  }

  async #runAll({ run }: Checks): Promise<void> {
    for (const one of CHECKS) {
      this.#set(one, "running");
      this.#set(one, await run(one).catch(() => "fails" as const));
      // nothing else can work without it
      if (one === "signal" && this.results.value.signal === "fails") return;
    }
  }

  #set(check: Check, result: Result): void {
    this.results.value = { ...this.results.value, [check]: result };
  }
}

/** What the results mean for meetings; null while that is not known. */
export function verdictOf({ value }: ReadonlySignal<Readonly<Record<Check, Result>>>): Verdict | null {
  if (value.signal === "fails") return "noSignal";
  if (CHECKS.some((check) => value[check] === "waiting" || value[check] === "running")) return null;
  if (value.udp === "works") return "good";
  return value.tcp === "works" || value.turn === "works" ? "noUdp" : "none";
}

function all(result: Result): Readonly<Record<Check, Result>> {
  return { signal: result, udp: result, tcp: result, turn: result };
}
