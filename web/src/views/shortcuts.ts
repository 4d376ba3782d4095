import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Meeting } from "../session/meeting.ts";
import type { Recordings } from "../session/recordings.ts";
import { togglePanel } from "./panels.ts";

interface Reach {
  readonly recordings: Recordings;
  readonly showHelp: () => void;
}

type Shortcut = (meeting: Meeting, reach: Reach) => void;

const SHORTCUTS: Readonly<Record<string, Shortcut>> = {
  m: (meeting) => meeting.canPublish.value && void meeting.toggle("microphone"),
  v: (meeting) => meeting.canPublish.value && void meeting.toggle("camera"),
  s: (meeting) => meeting.canPublish.value && void meeting.screenShare.toggle(),
  c: (meeting, { recordings }) => meeting.canChat.value && togglePanel("chat", meeting, recordings),
  p: (meeting, { recordings }) => togglePanel("people", meeting, recordings),
  h: (meeting) => void meeting.hand.toggle(),
  "?": (_meeting, { showHelp }) => showHelp(),
};

type Key = Pick<KeyboardEvent, "key" | "code" | "shiftKey">;

const LATIN = /^[a-z]$/;

/**
 * The shortcut that a key stands for. A Latin keyboard's letters count as they are printed (AZERTY, Dvorak); on others
 * (Cyrillic, Arabic, Greek) it is the key at the same place.
 */
export function shortcutOf({ key, code, shiftKey }: Key): string | null {
  const printed = key.toLowerCase();
  if (printed === "?" || printed === "؟" || (code === "Slash" && shiftKey && !LATIN.test(printed))) return "?";
  if (LATIN.test(printed)) return printed in SHORTCUTS ? printed : null;
  const placed = /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? "";
  // a Latin keyboard's signs and digits are no letters of another alphabet
  return /^\p{L}$/u.test(printed) && placed in SHORTCUTS ? placed : null;
}

const TYPING = "input, textarea, select, [contenteditable], dialog *";

/** Single keys for the most frequent actions. Not while the user types, and not with a modifier key. */
export function useShortcuts(
  on: Signal<boolean>,
  meeting: Meeting,
  recordings: Recordings,
  showHelp: () => void,
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the callback only sets a signal, whichever render it is from
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if (!on.value || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.target instanceof Element && event.target.matches(TYPING)) return;
      const shortcut = SHORTCUTS[shortcutOf(event) ?? ""];
      if (!shortcut) return;
      event.preventDefault();
      shortcut(meeting, { recordings, showHelp });
    }
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on, meeting]);
}
