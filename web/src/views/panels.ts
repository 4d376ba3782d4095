import type { Meeting } from "../session/meeting.ts";
import type { Recordings } from "../session/recordings.ts";

/** What can be open beside the tiles, one at a time. */
export type Panel = "chat" | "people" | "recordings";

type Panels = Pick<Meeting, "chat" | "people">;

/** Opens a panel in the place of another one. */
export function openPanel(panel: Panel, { chat, people }: Panels, recordings: Recordings): void {
  for (const [name, each] of Object.entries({ chat, people, recordings }))
    if (each.open.value !== (name === panel)) each.show(name === panel);
}

/** Opens a panel, or closes it. */
export function togglePanel(panel: Panel, meeting: Panels, recordings: Recordings): void {
  const shown = panel === "recordings" ? recordings : meeting[panel];
  if (shown.open.value) shown.show(false);
  else openPanel(panel, meeting, recordings);
}
