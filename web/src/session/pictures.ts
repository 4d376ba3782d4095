/** The formats that are shown as a picture, and how many pixels a browser is asked to decode for it. */
const PIXELS_MAX = 40_000_000;

/** How much of a file is looked at: a JPEG may have metadata before its size. */
const HEAD_BYTES = 256 * 1024;

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Format {
  readonly type: string;
  /** The bytes that such a file begins with; null for any. */
  readonly magic: readonly (number | null)[];
  readonly size: (bytes: DataView) => Size;
}

const RIFF_WEBP = [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50] as const;

const FORMATS: readonly Format[] = [
  {
    type: "image/png",
    magic: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    size: (bytes) => ({ width: bytes.getUint32(16), height: bytes.getUint32(20) }),
  },
  {
    type: "image/gif",
    magic: [0x47, 0x49, 0x46, 0x38],
    size: (bytes) => ({ width: bytes.getUint16(6, true), height: bytes.getUint16(8, true) }),
  },
  { type: "image/jpeg", magic: [0xff, 0xd8, 0xff], size: sizeOfJpeg },
  { type: "image/webp", magic: RIFF_WEBP, size: sizeOfWebp },
];

/**
 * What kind of picture a file is, by its bytes: what its sender says counts for nothing.
 * @returns null for what is no picture of a known format, or one too large to be decoded.
 */
export async function pictureType(content: Blob): Promise<string | null> {
  const bytes = new DataView(await content.slice(0, HEAD_BYTES).arrayBuffer());
  const format = FORMATS.find(({ magic }) => magic.every((byte, at) => byte === null || byteAt(bytes, at) === byte));
  if (!format) return null;
  try {
    const { width, height } = format.size(bytes);
    return width > 0 && height > 0 && width * height <= PIXELS_MAX ? format.type : null;
  } catch {
    // it ends before its size
    return null;
  }
}

function byteAt(bytes: DataView, at: number): number | null {
  return at < bytes.byteLength ? bytes.getUint8(at) : null;
}

/** From segment to segment, until the one that starts a frame (ITU-T T.81, B.2.2). */
function sizeOfJpeg(bytes: DataView): Size {
  let at = 2;
  for (;;) {
    const marker = bytes.getUint8(at + 1);
    const startsFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (bytes.getUint8(at) !== 0xff) throw new RangeError("not a segment");
    if (startsFrame) return { width: bytes.getUint16(at + 7), height: bytes.getUint16(at + 5) };
    at += 2 + Math.max(2, bytes.getUint16(at + 2));
  }
}

/** By the first chunk (RFC 9649, 2.5 to 2.7). */
function sizeOfWebp(bytes: DataView): Size {
  const kind = String.fromCharCode(...[12, 13, 14, 15].map((at) => bytes.getUint8(at)));
  if (kind === "VP8 ") return { width: bytes.getUint16(26, true) & 0x3fff, height: bytes.getUint16(28, true) & 0x3fff };
  if (kind === "VP8L") {
    const packed = bytes.getUint32(21, true);
    return { width: (packed & 0x3fff) + 1, height: ((packed >> 14) & 0x3fff) + 1 };
  }
  if (kind === "VP8X") return { width: threeBytes(bytes, 24) + 1, height: threeBytes(bytes, 27) + 1 };
  throw new RangeError("not a picture");
}

function threeBytes(bytes: DataView, at: number): number {
  return bytes.getUint16(at, true) + bytes.getUint8(at + 2) * 0x10000;
}
