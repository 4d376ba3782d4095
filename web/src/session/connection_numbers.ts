import type { Size } from "./grid.ts";
import type { Source } from "./roster.ts";

/** What is measured of one track since the last time. Null where the browser does not tell. */
export interface TrackNumbers {
  readonly key: string;
  readonly name: string;
  readonly source: Source;
  readonly isSent: boolean;
  readonly kbps: number | null;
  /** The share of packets lost, from 0 to 1. */
  readonly loss: number | null;
  readonly roundTripMs: number | null;
  readonly size: Size | null;
  readonly fps: number | null;
  readonly codec: string | null;
  /** How the packets go: the kind of the own address and the protocol, as in ICE. */
  readonly path: string | null;
}

interface MeasuredPublication {
  readonly trackSid: string;
  readonly source: string;
  readonly track?: { readonly getRTCStatsReport?: () => Promise<RTCStatsReport | undefined> } | undefined;
}

interface MeasuredParticipant {
  readonly identity: string;
  readonly name?: string | undefined;
  readonly isLocal: boolean;
  readonly trackPublications: ReadonlyMap<string, MeasuredPublication>;
}

/** The part of a LiveKit room that is measured. */
export interface MeasuredRoom {
  readonly localParticipant: MeasuredParticipant;
  readonly remoteParticipants: ReadonlyMap<string, MeasuredParticipant>;
}

/** Anything that a report of the browser has. */
type Stat = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** Counted from the beginning of a track. */
interface Counts {
  readonly atMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
}

/** Measures all tracks, each against its last measurement. */
export class Measurements {
  readonly #room: MeasuredRoom;
  #last: ReadonlyMap<string, Counts> = new Map();

  constructor(room: MeasuredRoom) {
    this.#room = room;
  }

  async take(): Promise<readonly TrackNumbers[]> {
    const { localParticipant, remoteParticipants } = this.#room;
    const all = [localParticipant, ...remoteParticipants.values()];
    const counts = new Map<string, Counts>();
    const rows = all.flatMap((participant) =>
      [...participant.trackPublications.values()].map((publication) => this.#row(participant, publication, counts)),
    );
    const numbers = (await Promise.all(rows)).filter((row) => row !== null);
    this.#last = counts;
    return numbers;
  }

  async #row(
    { identity, name, isLocal }: MeasuredParticipant,
    { trackSid: key, source, track }: MeasuredPublication,
    counts: Map<string, Counts>,
  ): Promise<TrackNumbers | null> {
    const report = await track?.getRTCStatsReport?.().catch(() => undefined);
    if (!report) return null;
    const stats = [...report.values()] as readonly Stat[];
    const now = countsOf(stats, isLocal);
    if (!now) return null;
    counts.set(key, now);
    const labels = { key, name: name || identity, source: source as Source, isSent: isLocal };
    return { ...labels, ...ratesOf(now, this.#last.get(key)), ...stateOf(stats, isLocal) };
  }
}

function countsOf(stats: readonly Stat[], isSent: boolean): Counts | null {
  const streams = ofType(stats, isSent ? "outbound-rtp" : "inbound-rtp");
  const [first] = streams;
  if (!first) return null;
  const sum = (of: readonly Stat[], field: string) =>
    of.reduce((total, stat) => total + (numberIn(stat, field) ?? 0), 0);
  return {
    atMs: numberIn(first, "timestamp") ?? 0,
    bytes: sum(streams, isSent ? "bytesSent" : "bytesReceived"),
    packets: sum(streams, isSent ? "packetsSent" : "packetsReceived"),
    // only the receiver knows what is lost
    lost: sum(isSent ? ofType(stats, "remote-inbound-rtp") : streams, "packetsLost"),
  };
}

function ratesOf(now: Counts, last: Counts | undefined): Pick<TrackNumbers, "kbps" | "loss"> {
  const passedMs = now.atMs - (last?.atMs ?? now.atMs);
  if (!last || passedMs <= 0) return { kbps: null, loss: null };
  const lost = Math.max(0, now.lost - last.lost);
  const packets = Math.max(0, now.packets - last.packets) + lost;
  return { kbps: ((now.bytes - last.bytes) * 8) / passedMs, loss: packets > 0 ? lost / packets : 0 };
}

function stateOf(stats: readonly Stat[], isSent: boolean): Pick<TrackNumbers, State> {
  const streams = ofType(stats, isSent ? "outbound-rtp" : "inbound-rtp");
  // of several layers the largest that is sent
  const stream = [...streams].sort((a, b) => (numberIn(b, "frameWidth") ?? 0) - (numberIn(a, "frameWidth") ?? 0))[0];
  const width = numberIn(stream, "frameWidth");
  const height = numberIn(stream, "frameHeight");
  const byId = new Map(stats.map((stat) => [stat.id, stat]));
  const codec = byId.get(String(stream?.codecId))?.mimeType;
  const transport = byId.get(String(stream?.transportId)) ?? ofType(stats, "transport")[0];
  const pair = byId.get(String(transport?.selectedCandidatePairId)) ?? ofType(stats, "candidate-pair").find(isInUse);
  const local = byId.get(String(pair?.localCandidateId));
  const roundTripS = numberIn(pair, "currentRoundTripTime");
  return {
    roundTripMs: roundTripS === null ? null : roundTripS * 1000,
    size: width && height ? { width, height } : null,
    fps: numberIn(stream, "framesPerSecond"),
    codec: typeof codec === "string" ? (codec.split("/")[1] ?? null) : null,
    path: local ? `${local.candidateType} ${local.relayProtocol ?? local.protocol}` : null,
  };
}

type State = "roundTripMs" | "size" | "fps" | "codec" | "path";

/** Firefox has no transports in its reports. */
function isInUse(pair: Stat): boolean {
  return pair.nominated === true && pair.state === "succeeded";
}

function ofType(stats: readonly Stat[], type: string): readonly Stat[] {
  return stats.filter((stat) => stat.type === type);
}

function numberIn(stat: Stat | undefined, field: string): number | null {
  const value = stat?.[field];
  return typeof value === "number" ? value : null;
}
