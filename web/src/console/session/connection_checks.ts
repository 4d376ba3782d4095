import { Checker, type CheckInfo, CheckStatus, ConnectionCheck } from "livekit-client";
import type { Check, RunCheck, TestMeeting } from "./connection_test.ts";

/** Joins, and looks which kind of candidate carries the media. */
class MediaCheck extends Checker {
  readonly #protocol: "udp" | "tcp";

  constructor(protocol: "udp" | "tcp", ...args: ConstructorParameters<typeof Checker>) {
    super(...args);
    this.#protocol = protocol;
  }

  override get description(): string {
    return `Media by ${this.#protocol}`;
  }

  protected override async perform(): Promise<void> {
    const room = await this.connect();
    if (this.#protocol === "tcp") await this.switchProtocol("tcp");
    const used = await usedProtocol(room.engine.pcManager);
    if (used !== this.#protocol) this.appendError(`media went by ${used ?? "nothing"}`);
  }
}

type Transports = { subscriber?: Transport | undefined; publisher?: Transport | undefined } | undefined;
interface Transport {
  getStats(): Promise<RTCStatsReport> | undefined;
}

/** The protocol of the pair of candidates that was chosen. */
async function usedProtocol(manager: Transports): Promise<string | null> {
  for (const transport of [manager?.publisher, manager?.subscriber]) {
    const stats = await transport?.getStats();
    if (!stats) continue;
    const byId = new Map<string, Record<string, unknown>>();
    stats.forEach((stat: Record<string, unknown>) => void byId.set(String(stat.id), stat));
    for (const stat of byId.values()) {
      if (stat.type !== "transport" || !stat.selectedCandidatePairId) continue;
      const pair = byId.get(String(stat.selectedCandidatePairId));
      const remote = byId.get(String(pair?.remoteCandidateId));
      const local = byId.get(String(pair?.localCandidateId));
      const protocol = local?.protocol ?? remote?.protocol;
      if (typeof protocol === "string") return protocol;
    }
  }
  return null;
}

/** livekit-client's own checks, and one of ours for each protocol of media. */
export function connectionChecks({ url, token }: TestMeeting): RunCheck {
  const checks = new ConnectionCheck(url, token);
  const media = (protocol: "udp" | "tcp") => new MediaCheck(protocol, url, token).run();
  const run: Readonly<Record<Check, () => Promise<CheckInfo>>> = {
    signal: () => checks.checkWebsocket(),
    udp: () => media("udp"),
    tcp: () => media("tcp"),
    turn: () => checks.checkTURN(),
  };
  return async (check) => {
    const { status } = await run[check]();
    if (status === CheckStatus.SKIPPED) return "skipped";
    return status === CheckStatus.SUCCESS ? "works" : "fails";
  };
}
