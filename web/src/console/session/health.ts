import { signal } from "@preact/signals-core";
import { type Refusal, refusalFrom } from "../api/refusal.ts";
import type { ConsoleServer } from "../api/server.ts";
import type { Status } from "../api/types.ts";
import { ConnectionTest } from "./connection_test.ts";

/** How the server is, and how it can be reached from here. */
export class Health {
  readonly status = signal<Status | null>(null);
  readonly lookedAt = signal<Date | null>(null);
  readonly refusal = signal<Refusal | null>(null);
  readonly testRefusal = signal<Refusal | null>(null);
  readonly test: ConnectionTest;
  readonly #server: ConsoleServer;

  constructor(server: ConsoleServer) {
    this.#server = server;
    this.test = new ConnectionTest(async () => {
      const [{ connectionChecks }, meeting] = await Promise.all([
        import("./connection_checks.ts"),
        server.openTestMeeting(),
      ]);
      return { run: connectionChecks(meeting), close: () => meeting.close() };
    });
  }

  async look(): Promise<void> {
    try {
      this.status.value = await this.#server.status();
      this.lookedAt.value = new Date();
      this.refusal.value = null;
    } catch (error) {
      this.refusal.value = refusalFrom(error);
    }
  }

  async runTest(): Promise<void> {
    this.testRefusal.value = null;
    await this.test.run().catch((error: unknown) => {
      this.testRefusal.value = refusalFrom(error);
    });
  }
}
