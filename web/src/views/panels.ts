import type { Meeting } from "../session/meeting.ts";
import type { Recordings } from "../session/recordings.ts";

/** What can be open beside the tiles, one at a time. */
export type Panel = "chat" | "people" | "recordings";

/** Opens a panel in the place of another one, or closes it. */
export function togglePanel(panel: Panel, { chat, people }: Pick<Meeting, "chat" | "people">, recordings: Recordings) {
  const panels = { chat, people, recordings };
  const isOpen = panels[panel].open.value;
  for (const each of Object.values(panels)) if (each.open.value) each.show(false);
  if (!isOpen) panels[panel].show(true);
}
