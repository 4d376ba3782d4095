import { batch, effect, type ReadonlySignal, signal } from "@preact/signals-core";
import { whenIdle } from "./idle.ts";
import type { Meeting } from "./meeting.ts";

/**
 * The meeting to come. It is made, and drawn where nobody sees it, while users are still in the form and the page has
 * nothing else to do: with Join there is only the connection left to wait for.
 */
export class UpcomingMeeting {
  /** What is drawn, but not shown. */
  readonly drawn = signal<Meeting | null>(null);
  #stop = (): void => {};

  /** @param choices what it depends on: after a change it is made again, when the page is idle again. */
  follow(make: () => Meeting, choices: ReadonlySignal<unknown>): void {
    this.forget();
    this.#stop = effect(() => {
      choices.value;
      return whenIdle(() => {
        this.drawn.value = make();
        return () => {
          this.drawn.value = null;
        };
      });
    });
  }

  /** Returns it for a connection, made now where the user was faster; it stays drawn. */
  take(make: () => Meeting): Meeting {
    const meeting = this.drawn.peek() ?? make();
    batch(() => {
      this.#stop();
      this.drawn.value = meeting;
    });
    return meeting;
  }

  forget(): void {
    this.#stop();
    this.#stop = () => {};
    this.drawn.value = null;
  }
}
