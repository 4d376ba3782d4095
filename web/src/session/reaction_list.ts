import type { Reaction } from "../api/meeting.ts";

/** The reactions that there are, in the order in which they are offered. Its own file: the form has it with the views. */
export const REACTIONS = ["👍", "👎", "👏", "❤️", "😂", "😮", "🎉"] as const satisfies readonly Reaction[];
