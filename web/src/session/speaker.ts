import { type Signal, signal } from "@preact/signals-core";

/** Where the sound of the others is heard, where the browser leaves the choice to a page. */
export class Speaker {
  /** Empty for the system's own choice. */
  readonly selectedId: Signal<string>;
  /** Empty where there is nothing to choose. */
  readonly options = signal<readonly { readonly id: string; readonly label: string }[]>([]);
  readonly testing = signal(false);
  readonly failed = signal(false);
  readonly #canChoose: boolean;
  readonly #remember: (id: string) => void;

  /**
   * @param canChoose whether the browser lets a page choose
   * @param remember is called when the user has chosen
   */
  constructor(selectedId: string, canChoose: boolean, remember: (id: string) => void) {
    this.selectedId = signal(selectedId);
    this.#canChoose = canChoose;
    this.#remember = remember;
  }

  /** Takes over what the system has. Before permission is given browsers hide labels. */
  list(devices: readonly MediaDeviceInfo[]): void {
    if (!this.#canChoose) return;
    this.options.value = devices
      .filter(({ kind, deviceId, label }) => kind === "audiooutput" && deviceId !== "" && label !== "")
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  }

  select(id: string): void {
    this.selectedId.value = id;
    this.failed.value = false;
    this.#remember(id);
  }

  /** Plays two notes there. */
  async test(): Promise<void> {
    if (this.testing.value) return;
    this.testing.value = true;
    this.failed.value = false;
    try {
      const { playTestSound } = await import("./test_sound.ts");
      await playTestSound(this.#canChoose ? this.selectedId.value : "");
    } catch {
      this.failed.value = true;
    } finally {
      this.testing.value = false;
    }
  }
}
