import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { VideoTrack } from "../components/Tracks.tsx";
import { text } from "../i18n/index.ts";
import { hueStepOf, initialsOf, tileWidthFor } from "../session/grid.ts";
import type { Meeting } from "../session/meeting.ts";
import type { Tile } from "../session/roster.ts";

const TILE_GAP = 10;

interface ParticipantGridProps {
  readonly meeting: Meeting;
  /** Whether users do without their own picture; the others still see it. */
  readonly hideSelf: ReadonlySignal<boolean>;
}

/** The participants' tiles in a grid; a shared screen takes the larger part, with the tiles in a strip. */
export function ParticipantGrid({ meeting, hideSelf }: ParticipantGridProps) {
  const { screenShares, participants: all, count } = meeting.roster.value;
  const participants = hideSelf.value ? all.filter((tile) => !tile.isLocal) : all;
  const isSharing = screenShares.length > 0;
  return (
    <section
      class={isSharing ? "participant-grid with-screen" : "participant-grid"}
      aria-label={text.meeting.participants}
    >
      {isSharing && <TileGrid tiles={screenShares} className="screens" />}
      <TileGrid tiles={participants} className={isSharing ? "strip" : "grid"} />
      {all.length === 0 && <p class="grid-hint">{text.meeting.nobodyPublishes}</p>}
      {all.length > 0 && count === 1 && <p class="grid-hint">{text.meeting.alone}</p>}
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
        <ParticipantTile key={tile.key} tile={tile} />
      ))}
    </ul>
  );
}

function ParticipantTile({ tile }: { readonly tile: Tile }) {
  const label = labelOf(tile);
  return (
    <li
      class={`tile ${tile.kind} hue-${hueStepOf(tile.identity)}${tile.speaking ? " speaking" : ""}`}
      data-identity={tile.identity}
      data-kind={tile.kind}
      data-local={tile.isLocal}
      data-muted={tile.muted}
      data-speaking={tile.speaking}
    >
      {tile.video ? (
        <VideoTrack track={tile.video} mirrored={tile.isLocal && tile.kind === "participant"} label={label} />
      ) : (
        <span class="initials" aria-hidden="true">
          {initialsOf(tile.name)}
        </span>
      )}
      <p class="name">
        {tile.muted && <Icon name="microphoneOff" />}
        <bdi>{label}</bdi>
        {tile.muted && <span class="visually-hidden">, {text.meeting.muted}</span>}
        {tile.speaking && <span class="visually-hidden">, {text.meeting.speaking}</span>}
      </p>
    </li>
  );
}

function labelOf({ kind, isLocal, name }: Tile): string {
  if (kind === "screen_share") return isLocal ? text.meeting.ownScreen : text.meeting.screenOf(name);
  return isLocal ? text.meeting.you(name) : name;
}
