import { expect, test } from "vitest";
import { type MeasuredRoom, Measurements } from "../src/session/connection_numbers.ts";

type Stats = readonly Readonly<Record<string, unknown>>[];

const TRANSPORT: Stats = [
  { id: "T", type: "transport", selectedCandidatePairId: "P" },
  { id: "P", type: "candidate-pair", localCandidateId: "L", currentRoundTripTime: 0.042 },
  { id: "L", type: "local-candidate", candidateType: "relay", protocol: "udp", relayProtocol: "tls" },
  { id: "C", type: "codec", mimeType: "video/VP8" },
];

function inbound(timestamp: number, bytesReceived: number, packetsReceived: number, packetsLost: number) {
  const picture = { frameWidth: 640, frameHeight: 360, framesPerSecond: 15 };
  const links = { codecId: "C", transportId: "T" };
  return { id: "I", type: "inbound-rtp", timestamp, bytesReceived, packetsReceived, packetsLost, ...links, ...picture };
}

/** A room with one remote and one local track; the test replaces what the browser reports. */
function measured() {
  let [received, sent]: [Stats, Stats] = [[], []];
  const track = (stats: () => Stats) => ({
    getRTCStatsReport: async () => new Map(stats().map((stat) => [stat.id, stat])) as unknown as RTCStatsReport,
  });
  const participant = (identity: string, isLocal: boolean, stats: () => Stats) => {
    const publication = { trackSid: identity, source: "camera", track: track(stats) };
    const silent = { trackSid: "none", source: "microphone" };
    const trackPublications = new Map([
      ["a", publication],
      ["b", silent],
    ]);
    return { identity, isLocal, trackPublications };
  };
  const room: MeasuredRoom = {
    localParticipant: participant("ana", true, () => sent),
    remoteParticipants: new Map([["ben", participant("ben", false, () => received)]]),
  };
  const measurements = new Measurements(room);
  return (nowReceived: Stats, nowSent: Stats = []) => {
    [received, sent] = [nowReceived, nowSent];
    return measurements.take();
  };
}

test("rates are those since the last measurement", async () => {
  const take = measured();
  const [first] = await take([...TRANSPORT, inbound(1000, 5000, 100, 0)]);
  expect(first).toMatchObject({ name: "ben", source: "camera", isSent: false, kbps: null, loss: null });
  const [row] = await take([...TRANSPORT, inbound(3000, 105_000, 190, 10)]);
  expect(row).toEqual({
    key: "ben",
    name: "ben",
    source: "camera",
    isSent: false,
    kbps: 400,
    loss: 0.1,
    roundTripMs: 42,
    size: { width: 640, height: 360 },
    fps: 15,
    codec: "VP8",
    path: "relay tls",
  });
  const [paused] = await take([...TRANSPORT, inbound(5000, 105_000, 190, 10)]);
  expect(paused).toMatchObject({ kbps: 0, loss: 0 });
});

test("of layers the bytes are added, and the largest is shown; the receiver tells of losses", async () => {
  const take = measured();
  const layers = (timestamp: number, times: number, packetsLost: number) => [
    {
      id: "q",
      type: "outbound-rtp",
      timestamp,
      bytesSent: 1000 * times,
      packetsSent: 10 * times,
      frameWidth: 320,
      frameHeight: 180,
    },
    {
      id: "f",
      type: "outbound-rtp",
      timestamp,
      bytesSent: 9000 * times,
      packetsSent: 80 * times,
      frameWidth: 1280,
      frameHeight: 720,
    },
    { id: "r", type: "remote-inbound-rtp", packetsLost },
  ];
  await take([], layers(0, 1, 0));
  const [row] = await take([], layers(2000, 2, 10));
  expect(row).toMatchObject({ name: "ana", isSent: true, kbps: 40, loss: 0.1, size: { width: 1280, height: 720 } });
  expect(row).toMatchObject({ roundTripMs: null, codec: null, path: null, fps: null });
});

test("without transports in the report the pair in use is found", async () => {
  const take = measured();
  const { transportId: _, ...stream } = inbound(0, 0, 0, 0);
  const pair = { id: "P", type: "candidate-pair", localCandidateId: "L", nominated: true, state: "succeeded" };
  const [row] = await take([
    stream,
    pair,
    { id: "L", type: "local-candidate", candidateType: "host", protocol: "udp" },
  ]);
  expect(row?.path).toBe("host udp");
});
