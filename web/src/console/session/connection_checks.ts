import { Checker, CheckStatus, ConnectionCheck } from "livekit-client";
import type { Check, RunCheck, TestMeeting } from "./connection_test.ts";

class UdpCheck extends Checker {
  override get description(): string {
    return "Media by UDP";
  }

  protected override async perform(): Promise<void> {
    const { engine } = await this.connect();
    const { used } = await settledCandidates("udp", engine.pcManager);
    if (used !== "udp") this.appendError(`media goes by ${used ?? "nothing"}`);
  }
}

class TcpCheck extends Checker {
  override get description(): string {
    return "Media by TCP";
  }

  protected override async perform(): Promise<void> {
    const { engine } = await this.connect();
    await this.switchProtocol("tcp");
    const { used, offered } = await settledCandidates("tcp", engine.pcManager);
    if (!offered.has("tcp")) this.skip();
    else if (used !== "tcp") this.appendError(`media goes by ${used ?? "nothing"}`);
  }
}

const CHECKS: Readonly<Record<Check, (checks: ConnectionCheck) => Promise<{ readonly status: CheckStatus }>>> = {
  signal: (checks) => checks.checkWebsocket(),
  udp: (checks) => checks.createAndRunCheck(UdpCheck),
  tcp: (checks) => checks.createAndRunCheck(TcpCheck),
  turn: (checks) => checks.checkTURN(),
};

type Transports = { subscriber?: Transport | undefined; publisher?: Transport | undefined } | undefined;
interface Transport {
  getStats(): Promise<RTCStatsReport> | undefined;
}

/** The protocols that the server offers, and the one that was chosen; null where none was. */
interface Candidates {
  readonly offered: ReadonlySet<unknown>;
  readonly used: unknown;
}

const SETTLED_WITHIN_MS = 5_000;
const ASK_EVERY_MS = 100;

/** As soon as `protocol` is used, else after some seconds: browsers begin with what answers first, and change to better. */
async function settledCandidates(protocol: string, manager: Transports): Promise<Candidates> {
  const last = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const candidates = await candidatesOf(manager);
    if (candidates.used === protocol || performance.now() > last) return candidates;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function candidatesOf(manager: Transports): Promise<Candidates> {
  const stats: Record<string, unknown>[] = [];
  for (const transport of [manager?.publisher, manager?.subscriber])
    (await transport?.getStats())?.forEach((stat: Record<string, unknown>) => void stats.push(stat));
  const named = (id: unknown) => stats.find((stat) => stat.id === id);
  const chosen = stats
    .filter(({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId)
    .map(({ selectedCandidatePairId }) => named(named(selectedCandidatePairId)?.remoteCandidateId));
  const remote = stats.filter(({ type }) => type === "remote-candidate");
  return { offered: new Set(remote.map(({ protocol }) => protocol)), used: chosen[0]?.protocol ?? null };
}

/** Runs the checks as livekit-client runs its own. */
export function connectionChecks({ url, token }: TestMeeting): RunCheck {
  const checks = new ConnectionCheck(url, token);
  return async (check) => {
    const { status } = await CHECKS[check](checks);
    if (status === CheckStatus.SKIPPED) return "skipped";
    return status === CheckStatus.SUCCESS ? "works" : "fails";
  };
}
