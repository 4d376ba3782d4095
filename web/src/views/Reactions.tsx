import { useMenu } from "../components/menu.ts";
import { text } from "../i18n/index.ts";
import type { Layout } from "../session/layout.ts";
import type { Meeting } from "../session/meeting.ts";
import { REACTIONS } from "../session/reaction_list.ts";
import type { Reactions, ShownReaction } from "../session/reactions.ts";
import { ControlButton } from "./ControlButton.tsx";

/** The button that offers the reactions, above the control bar. It stays open: many reactions come in twos. */
export function ReactionMenu({ meeting: { reactions } }: { readonly meeting: Meeting }) {
  const { open, around } = useMenu<HTMLDivElement>(".reactions-menu button", '[data-control="reactions"]');
  return (
    <div ref={around} class="reactions-control">
      <ControlButton
        id="reactions"
        icon="smile"
        label={text.controls.reactions}
        expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      />
      {open.value && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset belongs to a form
        <div class="reactions-menu" role="group" aria-label={text.controls.reactions}>
          {REACTIONS.map((reaction, i) => (
            <button
              key={reaction}
              type="button"
              class="quiet"
              aria-label={text.people.reactions[i] ?? reaction}
              title={text.people.reactions[i] ?? reaction}
              onClick={() => void reactions.send(reaction)}
            >
              {reaction}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** What a participant shows at the moment, at the tile. */
export function TileReactions({ reactions, identity }: { readonly reactions: Reactions; readonly identity: string }) {
  const own = reactions.shown.value.filter((one) => one.identity === identity);
  if (own.length === 0) return null;
  return (
    <p class="tile-reactions" data-testid="reactions">
      {own.map(({ id, reaction }) => (
        <span key={id}>{reaction}</span>
      ))}
    </p>
  );
}

interface AwayReactionsProps {
  readonly meeting: Meeting;
  readonly layout: Layout;
}

/** The reactions of those who have no tile, or have it on another page. */
export function AwayReactions({ meeting, layout }: AwayReactionsProps) {
  const { stage, tiles } = layout.arrangement.value;
  const visible = new Set(
    [...stage, ...tiles].flatMap(({ kind, identity }) => (kind === "participant" ? identity : [])),
  );
  const away = meeting.reactions.shown.value.filter(({ identity }) => !visible.has(identity));
  if (away.length === 0) return null;
  return (
    <ul class="away-reactions">
      {newest(away).map(({ id, identity, reaction }) => (
        <li key={id}>
          {reaction} <bdi>{identity}</bdi>
        </li>
      ))}
    </ul>
  );
}

function newest(reactions: readonly ShownReaction[]): readonly ShownReaction[] {
  return reactions.slice(-5);
}
