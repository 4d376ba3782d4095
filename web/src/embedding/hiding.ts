import type { MeetingPage } from "../session/page.ts";
import { shortcutOf } from "../views/shortcuts.ts";
import "./hiding.css";

/** The keys of what can be hidden. */
const KEYS: Readonly<Record<string, string>> = {
  m: "microphone",
  v: "camera",
  s: "share",
  c: "chat",
  p: "people",
  h: "hand",
  "?": "help",
};

let hidden: ReadonlySet<string> = new Set();
let isListening = false;

/** Hides controls by name, their keys with them; a panel that is open closes. */
export function hide(page: MeetingPage, names: string): void {
  hidden = new Set(names.split(/[\s,]+/).filter(Boolean));
  document.documentElement.dataset.hide = [...hidden].join(" ");
  const { value } = page.state;
  if (value.view === "meeting" && hidden.has("chat")) value.meeting.chat.show(false);
  if (value.view === "meeting" && hidden.has("people")) value.meeting.people.show(false);
  if (hidden.has("recordings")) page.recordings.show(false);
  if (isListening) return;
  isListening = true;
  addEventListener("keydown", swallow, { capture: true });
}

function swallow(event: KeyboardEvent): void {
  const isTyping = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (!isTyping && hidden.has(KEYS[shortcutOf(event) ?? ""] ?? "")) event.stopPropagation();
}
