import type { Room } from "livekit-client";

/** What our server tells the pages of a room. */
export type ServerTopic =
  | "tertulia.reaction"
  | "tertulia.ask-to-unmute"
  | "tertulia.room"
  | "tertulia.lobby"
  | "tertulia.notice"
  | "tertulia.chat";

/** More than any of them has: the longest is a chat message. */
const LENGTH_MAX = 64 * 1024;

/** The part of a packet that says who sent what. */
interface Packet {
  readonly participantIdentity: string;
  readonly participantSid: string;
  readonly value: { readonly case?: string | undefined; readonly value?: unknown };
}

interface UserPacket {
  readonly topic?: string | undefined;
  readonly payload: Uint8Array;
}

/**
 * Listens to what the server tells by its server API. The media server writes the sender into everything that a
 * participant sends, so what has none is the server's. The SDK's event of a room has no sender either where it does not
 * know the participant (yet): so it is the packet itself that is looked at.
 */
export function onServerMessage(room: Room, act: (topic: ServerTopic, body: Record<string, unknown>) => void): void {
  room.engine.on("dataPacketReceived", (packet: Packet) => {
    if (packet.participantIdentity || packet.participantSid || packet.value.case !== "user") return;
    const { topic, payload } = packet.value.value as UserPacket;
    if (topic?.startsWith("tertulia.") && payload.length <= LENGTH_MAX) act(topic as ServerTopic, objectIn(payload));
  });
}

function objectIn(payload: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
