import { isRole, type Role } from "../api/claims.ts";

/** Something that shows a track in an element: a LiveKit track, or a plain object in a test. */
export interface Attachable {
  attach(element: HTMLMediaElement): HTMLMediaElement;
  detach(element: HTMLMediaElement): HTMLMediaElement;
  /** Of a local track: it has another source now. */
  on?(event: "restarted", act: () => void): unknown;
  off?(event: "restarted", act: () => void): unknown;
  getSourceTrackSettings?(): MediaTrackSettings;
}

export type Source = "camera" | "microphone" | "screen_share" | "screen_share_audio";

/** The part of a LiveKit publication that tiles are made of. */
export interface PublicationLike {
  readonly source: string;
  readonly isMuted: boolean;
  readonly track?: Attachable | undefined;
}

/** The part of a LiveKit participant that tiles are made of. */
export interface ParticipantLike {
  readonly identity: string;
  readonly sid: string;
  readonly name?: string | undefined;
  readonly isLocal: boolean;
  readonly isSpeaking: boolean;
  readonly joinedAt?: Date | undefined;
  readonly permissions?: { readonly canPublish: boolean } | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: string | undefined;
  readonly connectionQuality?: string | undefined;
  readonly trackPublications: ReadonlyMap<string, PublicationLike>;
}

/** One tile of the grid: a participant, or the screen that a participant shares. */
export interface Tile {
  readonly key: string;
  readonly kind: "participant" | "screen_share";
  readonly identity: string;
  readonly name: string;
  readonly isLocal: boolean;
  readonly speaking: boolean;
  /** Whether the microphone is off or muted. */
  readonly muted: boolean;
  /** Which of the raised hands this is, the first being 1; 0 for none. */
  readonly hand: number;
  readonly video: Attachable | null;
}

/** Everything that the list of participants says of one of them. */
export interface Person {
  readonly identity: string;
  readonly name: string;
  readonly isLocal: boolean;
  /** Null where the server does not tell. */
  readonly role: Role | null;
  readonly canPublish: boolean;
  /** Whether it is on. */
  readonly microphone: boolean;
  readonly camera: boolean;
  /** As in a tile. */
  readonly hand: number;
  readonly quality: Quality | null;
}

export type Quality = "excellent" | "good" | "poor" | "lost";

const QUALITIES: readonly string[] = ["excellent", "good", "poor", "lost"] satisfies Quality[];

export interface RemoteAudioTrack {
  readonly key: string;
  readonly track: Attachable;
}

export interface Roster {
  readonly screenShares: readonly Tile[];
  readonly participants: readonly Tile[];
  /** All participants, in the order they joined. */
  readonly people: readonly Person[];
  /** The audio of the remote participants. */
  readonly audioTracks: readonly RemoteAudioTrack[];
  /** All participants, viewers included. */
  readonly count: number;
}

export const EMPTY_ROSTER: Roster = { screenShares: [], participants: [], people: [], audioTracks: [], count: 0 };

/** Only the server can set it: when the hand was raised, in milliseconds since the Unix epoch. */
export const HAND_ATTRIBUTE = "tertulia.hand";

/** What to show: a tile for each participant that may publish, in the order they joined, and one for each shared screen. */
export function rosterOf(participants: readonly ParticipantLike[]): Roster {
  const ordered = [...participants].sort(byArrival);
  const hands = handsOf(ordered);
  return {
    screenShares: ordered.flatMap(screenShareTile),
    participants: ordered.filter(canPublish).map((one) => participantTile(one, hands)),
    people: ordered.map((one) => personOf(one, hands)),
    audioTracks: ordered.filter((participant) => !participant.isLocal).flatMap(audioTracksOf),
    count: ordered.length,
  };
}

function byArrival(a: ParticipantLike, b: ParticipantLike): number {
  const difference = (a.joinedAt?.getTime() ?? 0) - (b.joinedAt?.getTime() ?? 0);
  return difference || (a.identity < b.identity ? -1 : 1);
}

/** A server that does not send others' permissions has not forbidden anything. */
function canPublish(participant: ParticipantLike): boolean {
  return participant.permissions?.canPublish ?? true;
}

/** When a participant has raised a hand; null while it is down. */
export function handRaisedAt({ attributes }: Pick<ParticipantLike, "attributes">): number | null {
  const raisedAtMs = Number(attributes?.[HAND_ATTRIBUTE] || Number.NaN);
  return Number.isFinite(raisedAtMs) ? raisedAtMs : null;
}

/** The role that the server gave a participant: a part of the metadata, which no participant can change. */
export function roleOf({ metadata }: Pick<ParticipantLike, "metadata">): Role | null {
  try {
    const role = (JSON.parse(metadata || "{}") as { readonly role?: unknown } | null)?.role;
    return isRole(role) ? role : null;
  } catch {
    return null;
  }
}

/** Who has raised a hand, in that order. */
function handsOf(participants: readonly ParticipantLike[]): readonly string[] {
  const raised = participants.flatMap((participant) => {
    const atMs = handRaisedAt(participant);
    return atMs === null ? [] : [{ identity: participant.identity, atMs }];
  });
  return raised.sort((a, b) => a.atMs - b.atMs).map(({ identity }) => identity);
}

function participantTile(participant: ParticipantLike, hands: readonly string[]): Tile {
  const microphone = publication(participant, "microphone");
  const camera = publication(participant, "camera");
  return {
    ...labels(participant),
    key: `participant:${participant.identity}`,
    kind: "participant",
    speaking: participant.isSpeaking,
    muted: !microphone || microphone.isMuted,
    hand: hands.indexOf(participant.identity) + 1,
    video: camera && !camera.isMuted ? (camera.track ?? null) : null,
  };
}

function personOf(participant: ParticipantLike, hands: readonly string[]): Person {
  const { connectionQuality: quality = "" } = participant;
  const isOn = (source: Source) => publication(participant, source)?.isMuted === false;
  return {
    ...labels(participant),
    role: roleOf(participant),
    canPublish: canPublish(participant),
    microphone: isOn("microphone"),
    camera: isOn("camera"),
    hand: hands.indexOf(participant.identity) + 1,
    quality: QUALITIES.includes(quality) ? (quality as Quality) : null,
  };
}

function screenShareTile(participant: ParticipantLike): Tile[] {
  const screen = publication(participant, "screen_share");
  if (!screen?.track || screen.isMuted) return [];
  const tile = { ...labels(participant), key: `screen_share:${participant.identity}`, speaking: false, muted: false };
  return [{ ...tile, kind: "screen_share", hand: 0, video: screen.track }];
}

function audioTracksOf(participant: ParticipantLike): RemoteAudioTrack[] {
  const sources: readonly Source[] = ["microphone", "screen_share_audio"];
  return sources.flatMap((source) => {
    const track = publication(participant, source)?.track;
    return track ? [{ key: `${source}:${participant.sid}`, track }] : [];
  });
}

function labels(participant: ParticipantLike): Pick<Tile, "identity" | "name" | "isLocal"> {
  const { identity, name, isLocal } = participant;
  return { identity, name: name || identity, isLocal };
}

function publication(participant: ParticipantLike, source: Source): PublicationLike | undefined {
  for (const candidate of participant.trackPublications.values()) if (candidate.source === source) return candidate;
  return undefined;
}
