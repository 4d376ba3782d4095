import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Role } from "../api/claims.ts";
import type { Person, Roster } from "./roster.ts";

/** With more than so many, a search is faster than looking. */
const SEARCH_FROM = 16;

/** What a moderator can do about a participant. */
export type PersonAction = "mute" | "askToUnmute" | "stopCamera" | "lowerHand" | "remove";

/** The panel with all participants. */
export class People {
  readonly open = signal(false);
  readonly search = signal("");
  /** Whose actions are shown. */
  readonly selected = signal<string | null>(null);
  readonly hasSearch: ReadonlySignal<boolean>;
  /** Those who are looked for: raised hands first, in their order. */
  readonly shown: ReadonlySignal<readonly Person[]>;

  constructor(roster: ReadonlySignal<Roster>) {
    this.hasSearch = computed(() => roster.value.people.length >= SEARCH_FROM);
    this.shown = computed(() => {
      const wanted = this.hasSearch.value ? folded(this.search.value.trim()) : "";
      const found = roster.value.people.filter(({ name }) => folded(name).includes(wanted));
      return [...found].sort((a, b) => placeOf(a) - placeOf(b));
    });
  }

  show(open: boolean): void {
    this.open.value = open;
    if (!open) this.search.value = "";
    if (!open) this.selected.value = null;
  }

  select(identity: string): void {
    this.selected.value = this.selected.value === identity ? null : identity;
  }
}

/** What someone with a role can do about a participant at the moment. */
export function actionsFor(person: Person, role: Role): readonly PersonAction[] {
  if (role !== "moderator" || person.isLocal) return [];
  const all: readonly [PersonAction, boolean][] = [
    ["mute", person.microphone],
    ["askToUnmute", person.canPublish && !person.microphone],
    ["stopCamera", person.camera],
    ["lowerHand", person.hand > 0],
    ["remove", true],
  ];
  return all.flatMap(([action, isPossible]) => (isPossible ? [action] : []));
}

function placeOf({ hand }: Person): number {
  return hand || Number.POSITIVE_INFINITY;
}

/** Without case and accents: “jose” finds “José”. */
function folded(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}
