/** The lines of HTML that show a room in a page; the element and its size as in docs/embedding.md. */
export function embeddingCode(roomUrl: string): string {
  const { origin } = new URL(roomUrl);
  const attributes = `room-url="${roomUrl.replaceAll("&", "&amp;")}" style="display: block; height: 640px"`;
  return `<script async src="${origin}/meet/v1/tertulia-meet.js"></script>\n<tertulia-meet ${attributes}></tertulia-meet>`;
}
