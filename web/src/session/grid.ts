/** The free space, or a tile in it, in CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The shapes of tiles. Videos are fitted in (`object-fit: contain`): one of another aspect ratio gets margins. A width that
 * is a multiple of this one has a height in whole pixels, so that no hairline shows at the edge.
 */
const LANDSCAPE: Size = { width: 16, height: 9 };
const PORTRAIT: Size = { width: 12, height: 16 };

export type Shape = "landscape" | "portrait";

/** Below this no face can be recognised: scroll instead. */
const TILE_WIDTH_MIN = 128;

/** The shape for all tiles of a grid: upright if most of them show an upright video, as phones send it. */
export function shapeFor(count: number, videos: Iterable<Size>): Shape {
  const upright = [...videos].filter(({ width, height }) => height > width).length;
  return upright * 2 > count ? "portrait" : "landscape";
}

/**
 * The width in CSS pixels at which `count` equal tiles are as large as they can be in the free space.
 * @param gap between tiles, in CSS pixels
 */
export function tileWidthFor(count: number, { width, height }: Size, gap: number, shape: Shape = "landscape"): number {
  const aspect = shape === "portrait" ? PORTRAIT : LANDSCAPE;
  let best = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = (((height - gap * (rows - 1)) / rows) * aspect.width) / aspect.height;
    best = Math.max(best, Math.min(byWidth, byHeight));
  }
  const wanted = Math.max(best, Math.min(TILE_WIDTH_MIN, width));
  return Math.floor(wanted / aspect.width) * aspect.width;
}

/**
 * How many pixels of a video to ask for, for each CSS pixel. Text of a screen is not sharp at one; all the pixels of all
 * the faces would be too many.
 */
export function densityOf(devicePixelRatio: number): number {
  return devicePixelRatio > 2 ? 2 : Math.min(devicePixelRatio, 1.5);
}

/** One or two letters that stand for a name where there is no video. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return picked
    .map((word) => firstCharacter(word ?? ""))
    .join("")
    .toLocaleUpperCase();
}

/** Made once: each loads the rules of Unicode, and tiles come in crowds. */
let graphemes: Intl.Segmenter | null = null;

/** The first grapheme: an emoji of several code points stays whole. */
function firstCharacter(word: string): string {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const [first] = graphemes.segment(word);
  return first?.segment ?? "";
}

const HUES = 12;

/** A stable colour (a step of the hue circle, 0–11) for a participant, to tell tiles without video apart. */
export function hueStepOf(identity: string): number {
  let hash = 0;
  for (const char of identity) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % HUES;
}
