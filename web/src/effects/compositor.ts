import type { Backdrop } from "./protocol.ts";

/** Gives for each pixel of a square picture how much it belongs to a person, from 0 to 1. */
export type Segment = (picture: OffscreenCanvas) => Float32Array;

/** The side of the square that the network looks at. */
export const MASK_SIZE = 256;

/** Blurring begins at this width: what is lost below it could not be seen anyway. */
const BLUR_WIDTH = 320;

/** How often the picture is halved and doubled again. */
const HALVINGS = { light: 2, strong: 4 } as const;

/** Where the network is unsure: below it is background, above it is a person. */
const UNSURE = { from: 0.25, to: 0.75 } as const;

/** How much of the mask before is kept, so that edges do not flicker. */
const MASK_KEPT = 0.4;

/** Puts a person before a backdrop. Uses plain canvases: they are as quick as WebGL with a GPU, and far quicker without. */
export class Compositor {
  readonly #segment: Segment;
  readonly #input = canvasOf(MASK_SIZE, MASK_SIZE);
  readonly #mask = canvasOf(MASK_SIZE, MASK_SIZE);
  readonly #alpha = new ImageData(MASK_SIZE, MASK_SIZE);
  readonly #smoothed = new Float32Array(MASK_SIZE * MASK_SIZE);
  readonly #output = canvasOf(1, 1);
  readonly #cover = canvasOf(1, 1);
  readonly #pyramid: Context[] = [];
  #backdrop: Backdrop | null = null;
  #isCovered = false;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  show(backdrop: Backdrop): void {
    if (this.#backdrop?.kind === "picture") this.#backdrop.picture.close();
    this.#backdrop = backdrop;
    this.#isCovered = false;
  }

  /** @returns a canvas that is used again for the next frame. */
  compose(frame: CanvasImageSource, width: number, height: number): OffscreenCanvas {
    if (resize(this.#output, width, height)) this.#isCovered = false;
    this.#updateMask(frame);
    draw(this.#output, "copy", this.#mask.canvas);
    draw(this.#output, "source-in", frame);
    draw(this.#output, "destination-over", this.#behind(frame, width, height));
    return this.#output.canvas;
  }

  #updateMask(frame: CanvasImageSource): void {
    this.#input.drawImage(frame, 0, 0, MASK_SIZE, MASK_SIZE);
    const mask = this.#segment(this.#input.canvas);
    const { data } = this.#alpha;
    for (let i = 0; i < this.#smoothed.length; i += 1) {
      const value = MASK_KEPT * (this.#smoothed[i] as number) + (1 - MASK_KEPT) * (mask[i] as number);
      this.#smoothed[i] = value;
      data[4 * i + 3] = 255 * Math.min(1, Math.max(0, (value - UNSURE.from) / (UNSURE.to - UNSURE.from)));
    }
    this.#mask.putImageData(this.#alpha, 0, 0);
  }

  #behind(frame: CanvasImageSource, width: number, height: number): OffscreenCanvas {
    if (this.#backdrop?.kind === "picture") return this.#covering(this.#backdrop.picture, width, height);
    return this.#blurred(frame, width, height, HALVINGS[this.#backdrop?.strength ?? "strong"]);
  }

  /** The picture as large as needed, cut where it has another shape. */
  #covering(picture: ImageBitmap, width: number, height: number): OffscreenCanvas {
    if (!this.#isCovered) {
      resize(this.#cover, width, height);
      const scale = Math.max(width / picture.width, height / picture.height);
      const [w, h] = [picture.width * scale, picture.height * scale];
      this.#cover.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
      this.#isCovered = true;
    }
    return this.#cover.canvas;
  }

  /** Without the person, whose colours would shine around the edges: what is near takes that place. */
  #blurred(frame: CanvasImageSource, width: number, height: number, halvings: number): OffscreenCanvas {
    const levels = Array.from({ length: halvings + 1 }, (_, level) => this.#level(level, width / height));
    const [first] = levels as [Context];
    draw(first, "copy", frame);
    draw(first, "destination-out", this.#mask.canvas);
    for (let i = 1; i < levels.length; i += 1) draw(levels[i] as Context, "copy", (levels[i - 1] as Context).canvas);
    const smallest = levels[halvings] as Context;
    // what is half transparent becomes opaque, with its colour: each time there is half as much to see through
    for (let i = 0; i < 8; i += 1) draw(smallest, "destination-over", smallest.canvas);
    draw(smallest, "destination-over", frame);
    for (let i = halvings - 1; i >= 0; i -= 1) draw(levels[i] as Context, "copy", (levels[i + 1] as Context).canvas);
    return first.canvas;
  }

  #level(level: number, aspect: number): Context {
    const context = this.#pyramid[level] ?? canvasOf(1, 1);
    this.#pyramid[level] = context;
    const width = Math.max(1, BLUR_WIDTH >> level);
    resize(context, width, Math.max(1, Math.round(width / aspect)));
    return context;
  }
}

type Context = OffscreenCanvasRenderingContext2D;

function canvasOf(width: number, height: number): Context {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("no 2D canvas in a worker");
  return context;
}

function draw(context: Context, operation: GlobalCompositeOperation, image: CanvasImageSource): void {
  context.globalCompositeOperation = operation;
  context.drawImage(image, 0, 0, context.canvas.width, context.canvas.height);
}

/** @returns whether it had another size. */
function resize({ canvas }: Context, width: number, height: number): boolean {
  if (canvas.width === width && canvas.height === height) return false;
  canvas.width = width;
  canvas.height = height;
  return true;
}
