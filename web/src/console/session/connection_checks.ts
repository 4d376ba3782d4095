import { Checker, CheckStatus, ConnectionCheck, RoomEvent } from "livekit-client";
import type { Check, RunCheck, TestMeeting } from "./connection_test.ts";

// livekit-client's own checks of signalling and TURN join by the old signalling path, which our server does not have

/** Joins as far as the first message of the server. */
class SignalCheck extends Checker {
  override get description(): string {
    return "Signalling";
  }

  protected override async perform(): Promise<void> {
    const signalled = new Promise<void>((resolve) => void this.room.once(RoomEvent.SignalConnected, () => resolve()));
    // whether media comes through, the next checks say
    const joined = this.connect();
    await Promise.race([signalled, joined]);
    await joined.catch(() => undefined);
  }
}

class UdpCheck extends Checker {
  override get description(): string {
    return "Media by UDP";
  }

  protected override async perform(): Promise<void> {
    const { engine } = await this.connect();
    const { used } = await candidatesOf(engine.pcManager);
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
    const { used, offered } = await candidatesOf(engine.pcManager);
    if (!offered.has("tcp")) this.skip();
    else if (used !== "tcp") this.appendError(`media goes by ${used ?? "nothing"}`);
  }
}

class TurnCheck extends Checker {
  override get description(): string {
    return "Media by TURN";
  }

  protected override async perform(): Promise<void> {
    const room = await this.connect();
    const servers = room.engine.latestJoinResponse?.iceServers ?? [];
    if (!servers.some(({ urls }) => urls.some((url) => url.startsWith("turn")))) {
      this.skip();
      return;
    }
    await this.disconnect();
    await this.room.connect(this.url, this.token, { rtcConfig: { iceTransportPolicy: "relay" } });
  }
}

const CHECKS: Readonly<Record<Check, Parameters<ConnectionCheck["createAndRunCheck"]>[0]>> = {
  signal: SignalCheck,
  udp: UdpCheck,
  tcp: TcpCheck,
  turn: TurnCheck,
};

type Transports = { subscriber?: Transport | undefined; publisher?: Transport | undefined } | undefined;
interface Transport {
  getStats(): Promise<RTCStatsReport> | undefined;
}

/** The protocols that the server offers, and the one that was chosen; null where none was. */
async function candidatesOf(
  manager: Transports,
): Promise<{ readonly offered: ReadonlySet<unknown>; readonly used: unknown }> {
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
    const { status } = await checks.createAndRunCheck(CHECKS[check]);
    if (status === CheckStatus.SKIPPED) return "skipped";
    return status === CheckStatus.SUCCESS ? "works" : "fails";
  };
}
