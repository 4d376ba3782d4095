import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Meeting } from "../session/meeting.ts";

type Shortcut = (meeting: Meeting, showHelp: () => void) => void;

const SHORTCUTS: Readonly<Record<string, Shortcut>> = {
  m: (meeting) => meeting.canPublish.value && void meeting.toggleMicrophone(),
  v: (meeting) => meeting.canPublish.value && void meeting.toggleCamera(),
  s: (meeting) => meeting.canPublish.value && void meeting.toggleScreenShare(),
  c: (meeting) => meeting.canChat.value && meeting.chat.show(!meeting.chat.open.value),
  "?": (_meeting, showHelp) => showHelp(),
};

const TYPING = "input, textarea, select, [contenteditable], dialog *";

/** Single keys for the most frequent actions. Not while the user types, and not with a modifier key. */
export function useShortcuts(on: Signal<boolean>, meeting: Meeting, showHelp: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the callback only sets a signal, whichever render it is from
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if (!on.value || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.target instanceof Element && event.target.matches(TYPING)) return;
      const shortcut = SHORTCUTS[event.key.toLowerCase()];
      if (!shortcut) return;
      event.preventDefault();
      shortcut(meeting, showHelp);
    }
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on, meeting]);
}
