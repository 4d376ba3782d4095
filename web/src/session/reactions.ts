import { signal } from "@preact/signals-core";
import type { Reaction } from "../api/meeting.ts";
import { AppError } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import { REACTIONS } from "./reaction_list.ts";

/** How long a reaction is shown. */
const SHOWN_MS = 5000;

/** What is shown at once: of one participant, and of all. */
const OF_ONE_MAX = 3;
const OF_ALL_MAX = 60;

export interface ShownReaction {
  readonly id: number;
  readonly identity: string;
  readonly reaction: Reaction;
}

/** The part of the API that shows a reaction. */
type React = (reaction: Reaction) => Promise<void>;

/** The reactions that are shown at the moment. */
export class Reactions {
  readonly shown = signal<readonly ShownReaction[]>([]);
  readonly #react: React;
  readonly #onError: (error: unknown) => void;
  #nextId = 0;

  constructor(react: React, onError: (error: unknown) => void) {
    this.#react = react;
    this.#onError = onError;
  }

  /** Shows the user's own reaction to all: it comes back from the server as the others' do. */
  async send(reaction: Reaction): Promise<void> {
    await this.#react(reaction).catch((error: unknown) => {
      // faster than anyone could see
      if (!(error instanceof AppError && error.code === "too_many_tries")) this.#onError(error);
    });
  }

  /** @returns the reaction, which is then shown; null for what is none. */
  receive({ participantName, reaction }: Readonly<Record<string, unknown>>): ShownReaction | null {
    if (typeof participantName !== "string" || !isReaction(reaction)) return null;
    const id = this.#nextId;
    this.#nextId += 1;
    const received = { id, identity: participantName, reaction };
    const all = [...this.shown.value, received];
    const own = all.filter(({ identity }) => identity === participantName);
    const oldest = own.length > OF_ONE_MAX ? own[0] : undefined;
    this.shown.value = all.filter((one) => one !== oldest).slice(-OF_ALL_MAX);
    setTimeout(() => {
      this.shown.value = this.shown.value.filter((one) => one.id !== id);
    }, SHOWN_MS);
    return received;
  }
}

function isReaction(value: unknown): value is Reaction {
  return (REACTIONS as readonly unknown[]).includes(value);
}

export function spokenReaction(name: string, reaction: Reaction): string {
  return `${name}: ${text.people.reactions[REACTIONS.indexOf(reaction)] ?? reaction}`;
}

export function spokenReactions(all: readonly string[]): string {
  return all.length === 1 ? all.join() : text.access.reactions(all.length);
}
