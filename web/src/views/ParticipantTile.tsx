import { Component } from "preact";
import { Icon } from "../components/Icon.tsx";
import { VideoTrack } from "../components/Tracks.tsx";
import { countOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { hueStepOf, initialsOf } from "../session/grid.ts";
import type { Layout } from "../session/layout.ts";
import type { Network } from "../session/network.ts";
import type { Reactions } from "../session/reactions.ts";
import type { Tile } from "../session/roster.ts";
import { TileConnection } from "./Connection.tsx";
import { TileReactions } from "./Reactions.tsx";

interface ParticipantTileProps {
  readonly tile: Tile;
  readonly isPinned: boolean;
  /** Whether it lies over the other one, on a phone. */
  readonly isMovable: boolean;
  readonly layout: Layout;
  readonly reactions: Reactions;
  readonly network: Network;
}

/** One tile. It is drawn again only when something in it has changed: every word that is spoken changes the roster. */
export class ParticipantTile extends Component<ParticipantTileProps> {
  override shouldComponentUpdate(next: ParticipantTileProps): boolean {
    const { tile, isPinned, isMovable } = this.props;
    if (isPinned !== next.isPinned || isMovable !== next.isMovable) return true;
    return (Object.keys(tile) as (keyof Tile)[]).some((key) => tile[key] !== next.tile[key]);
  }

  override render({ tile, isPinned, isMovable, layout, reactions, network }: ParticipantTileProps) {
    const label = labelOf(tile);
    const pinLabel = isPinned ? text.layout.unpin(label) : text.layout.pin(label);
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
        {tile.hand > 0 && <HandMark place={countOf(tile.hand)} />}
        {!tile.isLocal && <TileConnection tile={tile} network={network} />}
        {tile.kind === "participant" && <TileReactions reactions={reactions} identity={tile.identity} />}
        <p class="name">
          {tile.muted && <Icon name="microphoneOff" />}
          <bdi>{label}</bdi>
          {tile.muted && <span class="visually-hidden">, {text.meeting.muted}</span>}
          {tile.speaking && <span class="visually-hidden">, {text.meeting.speaking}</span>}
        </p>
        <button
          type="button"
          class={isPinned ? "pin pinned" : "pin"}
          aria-label={pinLabel}
          title={pinLabel}
          onClick={() => layout.pin(tile.key)}
        >
          <Icon name="pin" />
        </button>
        {isMovable && (
          <button
            type="button"
            class="pin move"
            aria-label={text.views.moveSelf}
            title={text.views.moveSelf}
            onClick={() => layout.moveSelf()}
          >
            <Icon name="move" />
          </button>
        )}
      </li>
    );
  }
}

/** Which of the raised hands this is. */
function HandMark({ place }: { readonly place: string }) {
  return (
    <p class="hand-mark" data-testid="hand">
      <Icon name="hand" />
      <span aria-hidden="true">{place}</span>
      <span class="visually-hidden">{text.people.hand(place)}</span>
    </p>
  );
}

function labelOf({ kind, isLocal, name }: Tile): string {
  if (kind === "screen_share") return isLocal ? text.meeting.ownScreen : text.meeting.screenOf(name);
  return isLocal ? text.meeting.you(name) : name;
}
