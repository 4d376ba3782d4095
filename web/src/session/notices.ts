import { signal } from "@preact/signals-core";
import type { DeviceKind } from "./devices.ts";

/** Something about the user's own devices, or for a moderator, that is worth a line and a button that acts on it. */
export type Notice =
  | { readonly kind: "device_added"; readonly device: DeviceKind; readonly id: string; readonly label: string }
  | { readonly kind: "device_replaced"; readonly device: DeviceKind; readonly label: string }
  | { readonly kind: "silent_microphone" }
  | { readonly kind: "muted_by_moderator" }
  | { readonly kind: "speaking_muted" }
  | { readonly kind: "camera_stopped" }
  | { readonly kind: "ask_to_unmute" }
  | { readonly kind: "background_slow" }
  | { readonly kind: "background_failed" }
  | { readonly kind: "background_refused" }
  | { readonly kind: "noise_failed" }
  | { readonly kind: "lobby"; readonly count: number }
  | { readonly kind: "from_console"; readonly message: string };

/** What is shown above the tiles until it is dismissed or over. Of each kind the newest. */
export class Notices {
  readonly all = signal<readonly Notice[]>([]);

  show(notice: Notice): void {
    this.all.value = [...this.#but(notice.kind), notice];
  }

  dismiss(kind: Notice["kind"]): void {
    const rest = this.#but(kind);
    if (rest.length < this.all.peek().length) this.all.value = rest;
  }

  has(kind: Notice["kind"]): boolean {
    return this.all.peek().some((notice) => notice.kind === kind);
  }

  /** What watches something else and changes notices must not run again because of them. */
  #but(kind: Notice["kind"]): readonly Notice[] {
    return this.all.peek().filter((notice) => notice.kind !== kind);
  }
}
