import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { text } from "../i18n/index.ts";
import type { Meeting } from "../session/meeting.ts";
import type { Link, Network } from "../session/network.ts";
import type { Tile } from "../session/roster.ts";

const ICONS = { good: "network_excellent", weak: "network_poor", lost: "network_lost" } as const satisfies Record<
  Link,
  string
>;

/** How the user's own connection is; it opens the dialog about it. */
export function ConnectionButton({ meeting: { network } }: { readonly meeting: Meeting }) {
  const { connection } = text.views;
  const isSaving = network.saveData.value !== "all";
  const label = `${connection.title}: ${connection.own[network.own.value]}`;
  return (
    <button
      type="button"
      class={isSaving ? "count" : "quiet"}
      data-control="connection"
      aria-label={isSaving ? `${label} ${connection.saving}` : label}
      title={label}
      onClick={() => {
        network.open.value = true;
      }}
    >
      <Icon name={ICONS[network.own.value]} />
      {isSaving && <span class="wide-only">{connection.saving}</span>}
    </button>
  );
}

/** That the user's own network is bad, what was done, and what can be done. */
export function WeakConnection({ meeting: { network } }: { readonly meeting: Meeting }) {
  const isDismissed = useSignal(false);
  const own = network.own.value;
  useEffect(() => {
    if (own === "good") isDismissed.value = false;
  }, [own, isDismissed]);
  if (own === "good" || isDismissed.value) return null;
  const { connection } = text.views;
  return (
    <div class="message" data-testid="weak-connection">
      <p>
        {connection.own[own]} {network.paused.value.size > 0 && connection.paused}
      </p>
      {network.saveData.value === "all" && (
        <button
          type="button"
          onClick={() => {
            network.saveData.value = "sound";
          }}
        >
          {connection.save}
        </button>
      )}
      <button
        type="button"
        class="quiet"
        aria-label={text.controls.dismiss}
        onClick={() => {
          isDismissed.value = true;
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Of another participant: that the network there is bad, or that the picture waits because the user's own is. */
export function TileConnection({ tile, network }: { readonly tile: Tile; readonly network: Network }) {
  const { connection } = text.views;
  const link = tile.kind === "participant" && network.others.value.get(tile.identity);
  return (
    <>
      {link && link !== "good" && (
        <p class="tile-link" data-testid="tile-link">
          <Icon name={ICONS[link]} />
          <span>{connection.tile[link]}</span>
        </p>
      )}
      {tile.video && network.paused.value.has(tile.key) && <p class="tile-paused">{connection.pausedTile}</p>}
    </>
  );
}
