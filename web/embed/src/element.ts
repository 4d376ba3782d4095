import { frameFor, pageUrl, webUrl } from "./frame.ts";
import { BOOLEAN_ATTRIBUTES, type FromPage, LIVE_ATTRIBUTES, METHODS, PAGE_ATTRIBUTES, type ToPage } from "./names.ts";
import type { MeetEvents, MeetFailure, MeetMethods, MeetProperties } from "./types.ts";

/** How long the page in the iframe may take to answer, once it is loaded. */
const ANSWER_MAX_MS = 15_000;

/** An element that is back in the document within this time was moved, not removed. */
const MOVED_MS = 250;

interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Listener = (detail: never) => void;
type Settings = Record<string, string | null>;

/** A failed method: `cause` is its name, `message` says it in words. */
function failure(cause: string, message: string): Error {
  return Object.assign(new Error(message, { cause }), { name: "TertuliaMeetError" });
}

const LINK_NOT_VALID: MeetFailure = {
  cause: "link_not_valid",
  message: "room-url has to be a link of the server: http:// or https://",
};

const GONE = () => failure("page_gone", "The meeting was closed before it could answer.");

export interface TertuliaMeet extends MeetMethods, Omit<MeetProperties, "lang"> {}

/** `<tertulia-meet>`: a meeting in an iframe, which keeps its styles, permissions and secrets to itself. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the static block defines what the interface above says
export class TertuliaMeet extends HTMLElement {
  static readonly observedAttributes: readonly string[] = [...PAGE_ATTRIBUTES, ...LIVE_ATTRIBUTES];

  static {
    for (const name of METHODS)
      Object.defineProperty(TertuliaMeet.prototype, name, {
        configurable: true,
        writable: true,
        value(this: TertuliaMeet, ...args: unknown[]) {
          return this.call(name, args);
        },
      });
    for (const name of TertuliaMeet.observedAttributes) if (name !== "lang") TertuliaMeet.mirror(name);
  }

  /** Defines the property of an attribute. */
  protected static mirror(attribute: string): void {
    const isBoolean = BOOLEAN_ATTRIBUTES.includes(attribute);
    const property = attribute.replace(/-\w/g, (part) => part.charAt(1).toUpperCase());
    Object.defineProperty(TertuliaMeet.prototype, property, {
      configurable: true,
      enumerable: true,
      get(this: TertuliaMeet) {
        const value = this.getAttribute(attribute);
        return isBoolean ? value !== null && value !== "false" : value;
      },
      set(this: TertuliaMeet, value: unknown) {
        if (isBoolean) this.toggleAttribute(attribute, value !== "false" && Boolean(value));
        else if (value === null || value === undefined) this.removeAttribute(attribute);
        else this.setAttribute(attribute, String(value));
      },
    });
  }

  readonly #shadow = this.attachShadow({ mode: "open" });
  readonly #listeners = new Map<string, Map<Listener, EventListener>>();
  readonly #pending = new Map<number, Call>();
  #calls: Call[] = [];
  #number = 0;
  #frame: HTMLIFrameElement | null = null;
  #port: MessagePort | null = null;
  /** What the iframe shows; the settings it was opened with, and those it was told of last. */
  #shown = "";
  #opened: Settings = {};
  #told: Settings = {};
  #isRefreshing = false;
  /** The participant, while in the meeting: who is to come back after a move. */
  #joined: MeetEvents["meetingJoined"] | null = null;
  #devices: Settings = {};
  #answer: ReturnType<typeof setTimeout> | undefined;
  #removal: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    const style = new CSSStyleSheet();
    style.replaceSync(
      ":host{display:block;block-size:100%;min-block-size:20rem}:host([hidden]){display:none}" +
        "iframe{display:block;inline-size:100%;block-size:100%;min-block-size:inherit;border:0}p{font:1rem system-ui}",
    );
    this.#shadow.adoptedStyleSheets = [style];
  }

  connectedCallback(): void {
    clearTimeout(this.#removal);
    this.#refresh();
  }

  /** Moved without a reload, by browsers that can (`moveBefore`). */
  connectedMoveCallback(): void {}

  disconnectedCallback(): void {
    this.#close();
    this.#removal = setTimeout(() => this.#onRemoved(), MOVED_MS);
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#refresh();
  }

  on(name: string, act: Listener): this {
    return this.#listen(name, act, false);
  }

  once(name: string, act: Listener): this {
    return this.#listen(name, act, true);
  }

  off(name: string, act?: Listener): this {
    const added = this.#listeners.get(name);
    for (const [one, listener] of [...(added ?? [])]) {
      if (act && one !== act) continue;
      this.removeEventListener(name, listener);
      added?.delete(one);
    }
    return this;
  }

  /** Asks the page for something, as soon as it listens. */
  protected call(method: string, args: readonly unknown[]): Promise<unknown> {
    const page = this.#frame?.contentWindow;
    if (method === "setScreenShare" && args[0] !== false && page) passActivation(page, this.#origin());
    return new Promise((resolve, reject) => {
      if (!this.isConnected) return reject(GONE());
      this.#calls.push({ method, args, resolve, reject });
      this.#flush();
    });
  }

  /** What the page is told. */
  protected settings(): Record<string, string | null> {
    const value = (name: string) => {
      const given = this.getAttribute(name);
      return BOOLEAN_ATTRIBUTES.includes(name) && given === "false" ? null : given;
    };
    return Object.fromEntries(TertuliaMeet.observedAttributes.map((name) => [name, value(name)]));
  }

  protected emit(name: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable: name === "meetingClosed" }));
  }

  #listen(name: string, act: Listener, once: boolean): this {
    const listener = (event: Event) => {
      if (once) this.off(name, act);
      act((event as CustomEvent<never>).detail);
    };
    const added = this.#listeners.get(name) ?? new Map<Listener, EventListener>();
    this.off(name, act);
    this.#listeners.set(name, added.set(act, listener));
    this.addEventListener(name, listener);
    return this;
  }

  /** Frameworks set one attribute after the other: what they add up to is what is shown. */
  #refresh(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    queueMicrotask(() => {
      this.#isRefreshing = false;
      if (!this.isConnected) return;
      const settings = this.settings();
      const shown = PAGE_ATTRIBUTES.map((name) => settings[name] ?? "").join("\n");
      if (this.#frame && shown === this.#shown) return this.#tell(settings);
      if (shown !== this.#shown) this.#forget();
      this.#shown = shown;
      this.#open(settings);
    });
  }

  #tell(settings: Settings): void {
    if (!this.#port) return;
    const changed = Object.entries(settings).filter(([name, value]) => this.#told[name] !== value);
    this.#told = settings;
    if (changed.length > 0) this.#send({ set: Object.fromEntries(changed) });
  }

  #open(settings: Settings): void {
    this.#close();
    this.#opened = settings;
    const url = pageUrl({ ...settings, ...this.#resumed() });
    const refusal = this.refusal(url);
    if (!url && !settings["room-url"] && !settings["recording-url"]) return;
    if (!url || refusal) {
      this.#fail(refusal ?? LINK_NOT_VALID);
      return;
    }
    this.#frame = frameFor(url, (page) => this.#greet(page, url.origin));
    this.#shadow.replaceChildren(this.#frame);
  }

  /** Why the element opens nothing, for those that extend it. */
  protected refusal(_url: URL | null): MeetFailure | null {
    return null;
  }

  #fail(failure: MeetFailure): void {
    const words = document.createElement("p");
    words.textContent = failure.message;
    this.#shadow.replaceChildren(words);
    this.emit("error", failure);
  }

  /** After a move: the same participant again, with the devices as they were, without the form. */
  #resumed(): Settings {
    if (!this.#joined) return {};
    return { ...this.#devices, "participant-name": this.#joined.participantIdentity, "skip-prejoin": "", resume: "" };
  }

  #origin(): string {
    return new URL(this.#frame?.src ?? "").origin;
  }

  /** The page is loaded: gives it one end of a channel. Only our server's page gets it. */
  #greet(page: Window, origin: string): void {
    this.#disconnect();
    const { port1, port2 } = new MessageChannel();
    let isWelcome = false;
    port1.onmessage = ({ data }: MessageEvent<FromPage>) => {
      if ("welcome" in data) {
        isWelcome = true;
        clearTimeout(this.#answer);
        this.#port = port1;
        this.#told = this.#opened;
        this.#tell(this.settings());
        this.#flush();
        this.emit("ready", {});
      } else if (isWelcome) this.#onMessage(data);
    };
    this.#answer = setTimeout(() => {
      const message = "The meeting page does not answer. Is this page's origin in the server's TERTULIA_EMBED_ORIGINS?";
      this.emit("error", { cause: "no_answer", message });
    }, ANSWER_MAX_MS);
    page.postMessage({ tertulia: "hello", version: 1 }, origin, [port2]);
  }

  #send(message: ToPage): void {
    this.#port?.postMessage(message);
  }

  #flush(): void {
    if (!this.#port) return;
    for (const call of this.#calls) {
      this.#number += 1;
      this.#pending.set(this.#number, call);
      try {
        this.#send({ id: this.#number, method: call.method, args: call.args });
      } catch {
        this.#pending.delete(this.#number);
        call.reject(failure("bad_argument", "An argument cannot be sent to the meeting."));
      }
    }
    this.#calls = [];
  }

  #onMessage(data: FromPage): void {
    if ("event" in data) this.onEvent(data.event, data.detail);
    if (!("id" in data)) return;
    const call = this.#pending.get(data.id);
    this.#pending.delete(data.id);
    if ("error" in data) call?.reject(failure(data.error.cause, data.error.message));
    else call?.resolve(data.result);
  }

  protected onEvent(name: string, detail: unknown): void {
    if (name === "meetingJoined") this.#joined = detail as MeetEvents["meetingJoined"];
    if (name === "meetingLeft") this.#forget();
    for (const kind of ["camera", "microphone"])
      if (name === `${kind}Changed`) this.#devices[kind] = (detail as { on: boolean }).on ? "on" : "off";
    const isAllowed = this.emit(name, detail);
    if (name === "meetingClosed" && isAllowed) this.#redirect();
  }

  #redirect(): void {
    const url = webUrl(this.getAttribute("leave-redirect-url"));
    if (url) location.assign(url.href);
  }

  #forget(): void {
    this.#joined = null;
    this.#devices = {};
  }

  #onRemoved(): void {
    const joined = this.#joined;
    this.#forget();
    for (const call of this.#calls.splice(0)) call.reject(GONE());
    if (!joined) return;
    const { roomId, participantIdentity } = joined;
    this.emit("meetingLeft", { roomId, participantIdentity, reason: "voluntary_leave" });
  }

  /** Takes the iframe away: with it camera and microphone stop. */
  #close(): void {
    this.#disconnect();
    this.#frame = null;
    this.#shadow.replaceChildren();
  }

  #disconnect(): void {
    clearTimeout(this.#answer);
    this.#port?.close();
    this.#port = null;
    for (const call of this.#pending.values()) call.reject(GONE());
    this.#pending.clear();
  }
}

/** Lets the user's click on the page around count in the iframe, where the browser can do that. */
function passActivation(page: Window, targetOrigin: string): void {
  try {
    const options: WindowPostMessageOptions & { delegate: string } = { targetOrigin, delegate: "display-capture" };
    page.postMessage({ tertulia: "activation" }, options);
  } catch {
    // no click just before: the browser will say so
  }
}
