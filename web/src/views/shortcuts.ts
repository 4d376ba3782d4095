import type { Signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
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

/** What the space bar does something to by itself: it presses them, or scrolls. */
const PRESSABLE = 'button, a, summary, video, audio, [role="button"], [tabindex="0"]';

/** Single keys for the most frequent actions. Not while the user types, and not with a modifier key. */
export function useShortcuts(
  isShown: boolean,
  on: Signal<boolean>,
  meeting: Meeting,
  recordings: Recordings,
  showHelp: () => void,
): void {
  // keys work from the moment when the controls are seen
  // biome-ignore lint/correctness/useExhaustiveDependencies: the callback only sets a signal, whichever render it is from
  useLayoutEffect(() => {
    if (!isShown) return undefined;
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
  }, [isShown, on, meeting]);
  useLayoutEffect(() => (isShown ? pushToTalk(on, meeting) : undefined), [isShown, on, meeting]);
}

/** The space bar, while it is held. @returns what stops listening to it. */
function pushToTalk(on: Signal<boolean>, { pushToTalk: talk, canPublish }: Meeting): () => void {
  function press(event: KeyboardEvent): void {
    const { target } = event;
    if (event.code !== "Space" || !on.value || !canPublish.value) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (target instanceof Element && target.matches(`${TYPING}, ${PRESSABLE}`)) return;
    // held since before the focus came here: only a press begins it, and the page must not scroll meanwhile
    if (event.repeat ? talk.isHeld : talk.press()) event.preventDefault();
  }
  const release = () => talk.release();
  const releaseKey = ({ code }: KeyboardEvent) => code === "Space" && release();
  const stop = new AbortController();
  const { signal } = stop;
  addEventListener("keydown", press, { signal });
  addEventListener("keyup", releaseKey, { signal });
  // the key is let go where this page does not see it
  addEventListener("blur", release, { signal });
  document.addEventListener("visibilitychange", release, { signal });
  return () => {
    stop.abort();
    release();
  };
}
