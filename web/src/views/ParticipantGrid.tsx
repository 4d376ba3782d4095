import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { countOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { type Shape, type Size, shapeFor, tileWidthFor } from "../session/grid.ts";
import type { Arrangement, Layout } from "../session/layout.ts";
import type { Meeting } from "../session/meeting.ts";
import type { Tile } from "../session/roster.ts";
import { ParticipantTile } from "./ParticipantTile.tsx";
import { AwayReactions } from "./Reactions.tsx";
import { draggedSelf } from "./self_corner.ts";

const TILE_GAP = 10;

interface ParticipantGridProps {
  readonly meeting: Meeting;
  readonly layout: Layout;
}

/** The participants' tiles in a grid; what is on the stage takes the larger part, with the others in a strip. */
export function ParticipantGrid({ meeting, layout }: ParticipantGridProps) {
  const { participants, count } = meeting.roster.value;
  const { stage, tiles, page, pages, isOneToOne } = layout.arrangement.value;
  const hasStage = stage.length > 0;
  return (
    <section
      class={`participant-grid${hasStage ? " with-stage" : ""}${isOneToOne ? " one-to-one" : ""}`}
      data-corner={layout.corner.value}
      aria-label={text.meeting.participants}
      onPointerDown={(event) => draggedSelf(event, layout)}
    >
      {hasStage && <TileGrid tiles={stage} className="stage" layout={layout} meeting={meeting} />}
      <div class="pages">
        <TileGrid tiles={tiles} className={hasStage ? "strip" : "grid"} layout={layout} meeting={meeting} />
        {pages > 1 && <Pager layout={layout} page={page} pages={pages} />}
      </div>
      <AwayReactions meeting={meeting} layout={layout} />
      {participants.length === 0 && <p class="grid-hint">{text.meeting.nobodyPublishes}</p>}
      {participants.length > 0 && count === 1 && <p class="grid-hint">{text.meeting.alone}</p>}
    </section>
  );
}

interface TileGridProps {
  readonly tiles: readonly Tile[];
  readonly className: string;
  readonly layout: Layout;
  readonly meeting: Pick<Meeting, "reactions" | "network">;
}

export function TileGrid({ tiles, className, layout, meeting: { reactions, network } }: TileGridProps) {
  const ref = useRef<HTMLUListElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  // before videos are attached: the size at which one is shown first decides which layer is asked for
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const shape = useShape(ref);
  const tileWidth = tileWidthFor(tiles.length, size, TILE_GAP, shape);
  const pinned = layout.pinned.value;
  return (
    <ul
      ref={ref}
      class={`tiles ${className} ${shape}`}
      style={{ "--tile-width": `${tileWidth}px`, "--tile-gap": `${TILE_GAP}px` }}
    >
      {tiles.map((tile) => (
        <ParticipantTile
          key={tile.key}
          tile={tile}
          isPinned={tile.key === pinned}
          isMovable={tile.isLocal && layout.arrangement.value.isOneToOne}
          layout={layout}
          reactions={reactions}
          network={network}
        />
      ))}
    </ul>
  );
}

/** The shape of the tiles, as most of their videos have it. A phone that is turned changes its video. */
function useShape(ref: { readonly current: HTMLElement | null }): Shape {
  const [shape, setShape] = useState<Shape>("landscape");
  const measure = () => {
    const videos = [...(ref.current?.querySelectorAll("video") ?? [])];
    setShape(shapeFor(ref.current?.childElementCount ?? 0, videos.map(sizeOf)));
    for (const video of videos) {
      const own = shapeFor(1, [sizeOf(video)]);
      // whatever is written is drawn again
      if (video.dataset.shape !== own) video.dataset.shape = own;
    }
  };
  // tiles come and go without an event of a video
  useLayoutEffect(measure);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the function reads nothing but the element
  useEffect(() => {
    const element = ref.current;
    element?.addEventListener("resize", measure, true);
    return () => element?.removeEventListener("resize", measure, true);
  }, [ref]);
  return shape;
}

function sizeOf({ videoWidth, videoHeight }: HTMLVideoElement): Size {
  return { width: videoWidth, height: videoHeight };
}

function Pager({ layout, page, pages }: Pick<Arrangement, "page" | "pages"> & { readonly layout: Layout }) {
  const label = text.layout.page(countOf(page + 1), countOf(pages));
  return (
    <nav class="pager" aria-label={label}>
      <TurnButton label={text.layout.previous} disabled={page === 0} onClick={() => layout.turn(-1)} icon="previous" />
      <span>{label}</span>
      <TurnButton label={text.layout.next} disabled={page === pages - 1} onClick={() => layout.turn(1)} icon="next" />
    </nav>
  );
}

interface TurnButtonProps {
  readonly label: string;
  readonly icon: "previous" | "next";
  readonly disabled: boolean;
  readonly onClick: () => void;
}

function TurnButton({ label, icon, disabled, onClick }: TurnButtonProps) {
  return (
    <button type="button" class="quiet" aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
