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

/** One picture on the stage: a person, or the screen that a person shares. */
export interface Tile {
  readonly key: string;
  readonly kind: "person" | "screen";
  readonly identity: string;
  readonly name: string;
  readonly isLocal: boolean;
  readonly speaking: boolean;
  /** Whether the others cannot hear this person now. */
  readonly silent: boolean;
  readonly video: Attachable | null;
}

export interface Sound {
  readonly key: string;
  readonly track: Attachable;
}

export interface Roster {
  readonly screens: readonly Tile[];
  readonly people: readonly Tile[];
  /** What is to be heard: everybody's sound but one's own. */
  readonly sounds: readonly Sound[];
  /** Everybody in the meeting, those who only watch included. */
  readonly count: number;
}

export const EMPTY_ROSTER: Roster = { screens: [], people: [], sounds: [], count: 0 };

/** Whom and what to show: a tile for everyone who may publish, in the order they came, and one for each shared screen. */
export function rosterOf(participants: readonly ParticipantLike[]): Roster {
  const ordered = [...participants].sort(byArrival);
  return {
    screens: ordered.flatMap(screenTile),
    people: ordered.filter(mayPublish).map(personTile),
    sounds: ordered.filter((participant) => !participant.isLocal).flatMap(soundsOf),
    count: ordered.length,
  };
}

function byArrival(a: ParticipantLike, b: ParticipantLike): number {
  const difference = (a.joinedAt?.getTime() ?? 0) - (b.joinedAt?.getTime() ?? 0);
  return difference || (a.identity < b.identity ? -1 : 1);
}

/** A server that does not tell others' permissions says nothing against them. */
function mayPublish(participant: ParticipantLike): boolean {
  return participant.permissions?.canPublish ?? true;
}

function personTile(participant: ParticipantLike): Tile {
  const microphone = publication(participant, "microphone");
  const camera = publication(participant, "camera");
  return {
    ...labels(participant),
    key: `person:${participant.identity}`,
    kind: "person",
    speaking: participant.isSpeaking,
    silent: !microphone || microphone.isMuted,
    video: camera && !camera.isMuted ? (camera.track ?? null) : null,
  };
}

function screenTile(participant: ParticipantLike): Tile[] {
  const screen = publication(participant, "screen_share");
  if (!screen?.track || screen.isMuted) return [];
  const tile = { ...labels(participant), key: `screen:${participant.identity}`, speaking: false, silent: false };
  return [{ ...tile, kind: "screen", video: screen.track }];
}

function soundsOf(participant: ParticipantLike): Sound[] {
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
