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

/** How much of a text is laid out at once, and how near to the end of that a word or line has to end to be its end. */
const BLOCK_LENGTH = 4000;
const BLOCK_SLACK = 500;

/** Groups the pieces of a long text: a browser lays out only those groups that are on the screen. */
export function blocksOf(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const blocks: Piece[][] = [];
  let block: Piece[] = [];
  let space = BLOCK_LENGTH;
  for (const piece of pieces.flatMap(shortPieces)) {
    if (piece.text.length > space) {
      blocks.push(block);
      [block, space] = [[], BLOCK_LENGTH];
    }
    block.push(piece);
    space -= piece.text.length;
  }
  return [...blocks, block].filter(({ length }) => length > 0);
}

function shortPieces(piece: Piece): readonly Piece[] {
  const short: Piece[] = [];
  let { at, text } = piece;
  while (text.length > BLOCK_LENGTH) {
    const end = endOfBlock(text);
    short.push({ at, text: text.slice(0, end) });
    at += end;
    text = text.slice(end);
  }
  return short.length === 0 ? [piece] : [...short, { at, text }];
}

function endOfBlock(text: string): number {
  const tail = text.slice(BLOCK_LENGTH - BLOCK_SLACK, BLOCK_LENGTH);
  const last = Math.max(tail.lastIndexOf("\n"), tail.lastIndexOf(" "));
  if (last >= 0) return BLOCK_LENGTH - BLOCK_SLACK + last + 1;
  const isPair = /^[\uD800-\uDBFF]$/.test(text.charAt(BLOCK_LENGTH - 1));
  return isPair ? BLOCK_LENGTH - 1 : BLOCK_LENGTH;
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
