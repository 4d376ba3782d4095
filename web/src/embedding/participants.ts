import type { MeetParticipant } from "../../embed/src/types.ts";
import type { Roster } from "../session/roster.ts";

/** The participants as the page around is told of them, in the order in which they joined. */
export function participantsOf({ people, screenShares }: Roster): readonly MeetParticipant[] {
  const sharing = new Set(screenShares.map(({ identity }) => identity));
  return people.map(({ identity, name, isLocal, role, microphone, camera, hand, quality }) => {
    const shown = { identity, name, isLocal, role, microphone, camera };
    return { ...shown, screenShare: sharing.has(identity), hand: hand > 0, quality };
  });
}

export function localIdentity({ people }: Roster): string {
  return people.find(({ isLocal }) => isLocal)?.identity ?? "";
}
