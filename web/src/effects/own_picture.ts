/** Where the browser keeps the user's own picture. It never leaves the device. */
const CACHE = "tertulia-background";
const ADDRESS = "/own-picture";

const WIDTH_MAX = 1280;
const QUALITY = 0.85;

/** Kept as long as the page is open, for browsers that store nothing. */
let latest: Blob | null = null;

export async function ownPicture(): Promise<Blob | null> {
  try {
    const stored = await (await caches.open(CACHE)).match(ADDRESS);
    return (await stored?.blob()) ?? latest;
  } catch {
    return latest;
  }
}

/**
 * Keeps a picture, as small as it can be: what a camera took has its place and time in it.
 * @throws DOMException if the file is no picture that the browser can show.
 */
export async function keepOwnPicture(file: Blob): Promise<void> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, WIDTH_MAX / picture.width);
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  latest = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  try {
    await (await caches.open(CACHE)).put(ADDRESS, new Response(latest));
  } catch {
    // a full or forbidden store: the picture is there until the page is closed
  }
}
