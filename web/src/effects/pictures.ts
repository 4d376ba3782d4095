import type { Picture } from "../session/background.ts";
import { ownPicture } from "./own_picture.ts";

/** Large enough for any camera; what is smaller is scaled. */
const SIZE = { width: 1280, height: 720 } as const;

interface Scene {
  /** The sky from top to bottom. */
  readonly sky: readonly string[];
  /** A disc: where, as shares of the picture, how large, its colour. */
  readonly disc: readonly [x: number, y: number, radius: number, colour: string];
  /** Hills or waves from back to front. */
  readonly layers: readonly string[];
  /** How steep they are. */
  readonly swing: number;
}

/** Our own pictures, drawn when they are needed: they are not in the bundle, and are sharp in every size. */
const SCENES: Readonly<Record<Exclude<Picture, "own">, Scene>> = {
  dawn: {
    sky: ["#5b6c9e", "#c98ba0", "#f6c28b", "#fbe3b4"],
    disc: [0.74, 0.5, 0.09, "#fff4d6"],
    layers: ["#b77f8c", "#8d6480", "#614a6d", "#3d3253"],
    swing: 0.055,
  },
  sea: {
    sky: ["#3f88a8", "#8cc4cf", "#dcefe8"],
    disc: [0.25, 0.26, 0.06, "#fffbe8"],
    layers: ["#6fb3bd", "#4796a6", "#2c7890", "#1b5a76"],
    swing: 0.018,
  },
  forest: {
    sky: ["#9fb8a0", "#d5dfc3", "#f1edd6"],
    disc: [0.6, 0.3, 0.07, "#fffdf0"],
    layers: ["#94b08c", "#6b8f6b", "#476f54", "#2b4f3f"],
    swing: 0.075,
  },
  night: {
    sky: ["#0c1330", "#1d2a55", "#3b4a7c"],
    disc: [0.8, 0.2, 0.05, "#f3efdc"],
    layers: ["#2b3763", "#212b50", "#171f3d", "#0e142b"],
    swing: 0.06,
  },
};

/** @returns the picture as it is put behind the user; null for an own one that was not chosen. */
export async function pictureOf(name: Picture): Promise<ImageBitmap | null> {
  if (name === "own") {
    const blob = await ownPicture();
    return blob && createImageBitmap(blob);
  }
  const canvas = new OffscreenCanvas(SIZE.width, SIZE.height);
  drawScene(canvas.getContext("2d") as OffscreenCanvasRenderingContext2D, name);
  return canvas.transferToImageBitmap();
}

/** Draws a picture into a canvas of any size. */
export function drawScene(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  name: Exclude<Picture, "own">,
): void {
  const { width, height } = context.canvas;
  const { sky, disc, layers, swing } = SCENES[name];
  const gradient = context.createLinearGradient(0, 0, 0, height);
  sky.forEach((colour, i) => void gradient.addColorStop(i / (sky.length - 1), colour));
  context.fillStyle = gradient;
  context.fillRect(0, 0, width, height);
  const [x, y, radius, colour] = disc;
  glow(context, x * width, y * height, radius * width, colour);
  layers.forEach((layer, i) => {
    const level = 0.56 + (0.36 * i) / (layers.length - 1);
    context.fillStyle = layer;
    context.beginPath();
    context.moveTo(0, height);
    for (let at = 0; at <= 1.001; at += 1 / 160) {
      const waves = Math.sin(at * (5 + 2 * i) + 1.9 * i) + 0.45 * Math.sin(at * (13 + 3 * i) + 0.7 * i);
      context.lineTo(at * width, (level + swing * waves) * height);
    }
    context.lineTo(width, height);
    context.fill();
  });
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

function glow(context: Context, x: number, y: number, radius: number, colour: string): void {
  const halo = context.createRadialGradient(x, y, radius * 0.6, x, y, radius * 4);
  halo.addColorStop(0, `${colour}88`);
  halo.addColorStop(1, `${colour}00`);
  context.fillStyle = halo;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
