import { TertuliaMeet } from "./element.ts";
import { callFor, eventsFor, OPENVIDU_METHODS } from "./openvidu_names.ts";
import type { MeetFailure } from "./types.ts";

/** Attributes that say the same by another name. */
const DEVICE_ATTRIBUTES = { "initial-audio-active": "microphone", "initial-video-active": "camera" } as const;

/** `<openvidu-meet>`: the same element, spoken to as OpenVidu Meet's is. */
export class OpenViduMeet extends TertuliaMeet {
  static override readonly observedAttributes = [
    ...TertuliaMeet.observedAttributes,
    ...Object.keys(DEVICE_ATTRIBUTES),
    "e2ee-key",
  ];

  static {
    for (const name of OPENVIDU_METHODS)
      Object.defineProperty(OpenViduMeet.prototype, name, {
        configurable: true,
        writable: true,
        // there they return nothing: a failure is an event, and not a promise that nobody looks at
        value(this: OpenViduMeet, ...given: unknown[]) {
          const { method, args } = callFor(name, given);
          this.call(method, args).catch(({ cause, message }: Error) => this.emit("error", { cause, message }));
        },
      });
  }

  protected override settings(): Record<string, string | null> {
    const settings = super.settings();
    for (const [attribute, setting] of Object.entries(DEVICE_ATTRIBUTES)) {
      const value = this.getAttribute(attribute);
      if (value !== null) settings[setting] ??= value === "false" ? "off" : "on";
    }
    return settings;
  }

  /** A meeting without the encryption that was asked for would be worse than none. */
  protected override refusal(): MeetFailure | null {
    if (!this.getAttribute("e2ee-key")) return null;
    return { cause: "not_supported", message: "End-to-end encryption (e2ee-key) is not available on this server." };
  }

  protected override onEvent(name: string, detail: unknown): void {
    super.onEvent(name, detail);
    for (const [other, translated] of eventsFor(name, detail)) if (other !== name) this.emit(other, translated);
  }
}

if (!customElements.get("openvidu-meet")) customElements.define("openvidu-meet", OpenViduMeet);
