/** Something that shows a track in an element: a LiveKit track, or a plain object in a test. */
export interface Attachable {
  attach(element: HTMLMediaElement): HTMLMediaElement;
  detach(element: HTMLMediaElement): HTMLMediaElement;
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
  readonly video: Attachable | null;
}

export interface RemoteAudioTrack {
  readonly key: string;
  readonly track: Attachable;
}

export interface Roster {
  readonly screenShares: readonly Tile[];
  readonly participants: readonly Tile[];
  /** The audio of the remote participants. */
  readonly audioTracks: readonly RemoteAudioTrack[];
  /** All participants, viewers included. */
  readonly count: number;
}

export const EMPTY_ROSTER: Roster = { screenShares: [], participants: [], audioTracks: [], count: 0 };

/** What to show: a tile for each participant that may publish, in the order they joined, and one for each shared screen. */
export function rosterOf(participants: readonly ParticipantLike[]): Roster {
  const ordered = [...participants].sort(byArrival);
  return {
    screenShares: ordered.flatMap(screenShareTile),
    participants: ordered.filter(canPublish).map(participantTile),
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

function participantTile(participant: ParticipantLike): Tile {
  const microphone = publication(participant, "microphone");
  const camera = publication(participant, "camera");
  return {
    ...labels(participant),
    key: `participant:${participant.identity}`,
    kind: "participant",
    speaking: participant.isSpeaking,
    muted: !microphone || microphone.isMuted,
    video: camera && !camera.isMuted ? (camera.track ?? null) : null,
  };
}

function screenShareTile(participant: ParticipantLike): Tile[] {
  const screen = publication(participant, "screen_share");
  if (!screen?.track || screen.isMuted) return [];
  const tile = { ...labels(participant), key: `screen_share:${participant.identity}`, speaking: false, muted: false };
  return [{ ...tile, kind: "screen_share", video: screen.track }];
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
