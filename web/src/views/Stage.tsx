import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { Picture } from "../components/Media.tsx";
import { text } from "../i18n/index.ts";
import { hueStepOf, initialsOf, tileWidthFor } from "../session/grid.ts";
import type { Meeting } from "../session/meeting.ts";
import type { Tile } from "../session/roster.ts";

const TILE_GAP = 10;

/** Everybody's tile in a grid; a shared screen takes the larger part, with the people in a strip. */
export function Stage({ meeting }: { readonly meeting: Meeting }) {
  const { screens, people, count } = meeting.roster.value;
  const sharing = screens.length > 0;
  return (
    <section class={sharing ? "stage with-screen" : "stage"} aria-label={text.meeting.stage}>
      {sharing && <TileGrid tiles={screens} className="screens" />}
      <TileGrid tiles={people} className={sharing ? "strip" : "people"} />
      {people.length === 0 && <p class="stage-hint">{text.meeting.nobodyPublishes}</p>}
      {people.length > 0 && count === 1 && <p class="stage-hint">{text.meeting.alone}</p>}
    </section>
  );
}

function TileGrid({ tiles, className }: { readonly tiles: readonly Tile[]; readonly className: string }) {
  const ref = useRef<HTMLUListElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const tileWidth = tileWidthFor(tiles.length, size, TILE_GAP);
  return (
    <ul
      ref={ref}
      class={`tiles ${className}`}
      style={{ "--tile-width": `${tileWidth}px`, "--tile-gap": `${TILE_GAP}px` }}
    >
      {tiles.map((tile) => (
        <TileView key={tile.key} tile={tile} />
      ))}
    </ul>
  );
}

function TileView({ tile }: { readonly tile: Tile }) {
  const label = labelOf(tile);
  return (
    <li
      class={`tile ${tile.kind} hue-${hueStepOf(tile.identity)}${tile.speaking ? " speaking" : ""}`}
      data-identity={tile.identity}
      data-kind={tile.kind}
      data-local={tile.isLocal}
      data-silent={tile.silent}
      data-speaking={tile.speaking}
    >
      {tile.video ? (
        <Picture track={tile.video} mirrored={tile.isLocal && tile.kind === "person"} label={label} />
      ) : (
        <span class="initials" aria-hidden="true">
          {initialsOf(tile.name)}
        </span>
      )}
      <p class="name">
        {tile.silent && <Icon name="microphoneOff" />}
        <bdi>{label}</bdi>
        {tile.silent && <span class="heard-only">, {text.meeting.muted}</span>}
        {tile.speaking && <span class="heard-only">, {text.meeting.speaking}</span>}
      </p>
    </li>
  );
}

function labelOf({ kind, isLocal, name }: Tile): string {
  if (kind === "screen") return isLocal ? text.meeting.ownScreen : text.meeting.screenOf(name);
  return isLocal ? text.meeting.you(name) : name;
}
