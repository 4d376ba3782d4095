/** A piece of a message: a link where it has an address. */
export interface Piece {
  /** Where it begins. */
  readonly at: number;
  readonly text: string;
  readonly href?: string;
}

/** How many links one message can have; what follows is text. */
const LINKS_MAX = 50;
const LENGTH_MAX = 2000;

/** A link ends where a letter could be invisible or change the direction of those after it. */
const LINK = /\bhttps?:\/\/[^\s\p{C}<>"`]+/giu;

/** Ends a sentence rather than a link. */
const TRAILING = ".,:;!?'*…";

/** Splits a text at its links, which are what they look like: http or https, shown as they were written. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  let links = 0;
  for (const match of text.matchAll(LINK)) {
    const written = match[0].length > LENGTH_MAX ? "" : withoutEnd(match[0]);
    const href = addressOf(written);
    if (!href) continue;
    if (match.index > done) pieces.push({ at: done, text: text.slice(done, match.index) });
    pieces.push({ at: match.index, text: written, href });
    done = match.index + written.length;
    links += 1;
    if (links >= LINKS_MAX) break;
  }
  if (done < text.length) pieces.push({ at: done, text: text.slice(done) });
  return pieces;
}

/** Without punctuation that follows the link, and without a closing bracket that it does not open. */
function withoutEnd(written: string): string {
  let surplus = written.split(")").length - written.split("(").length;
  let end = written.length;
  for (; end > 0; end -= 1) {
    const last = written.charAt(end - 1);
    if (last === ")" && surplus > 0) surplus -= 1;
    else if (!TRAILING.includes(last)) break;
  }
  return written.slice(0, end);
}

/** @returns null for what is no address, or one that begins with the name of another site (`https://bank@evil`). */
function addressOf(written: string): string | null {
  if (!URL.canParse(written)) return null;
  const url = new URL(written);
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  return isWeb && !url.username && !url.password ? url.href : null;
}
