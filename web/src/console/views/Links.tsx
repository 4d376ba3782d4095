import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../../components/Dialog.tsx";
import { ErrorMessage } from "../../components/ErrorMessage.tsx";
import type { Role, Room } from "../api/types.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { copy } from "./clipboard.ts";
import { IconButton } from "./parts.tsx";

const ROLES: readonly Role[] = ["moderator", "publisher", "viewer"];

interface LinksProps {
  readonly console: Console;
  readonly room: Room;
}

/** The link for each role, to copy or to take with a phone. */
export function Links({ console, room }: LinksProps) {
  const [qrRole, setQrRole] = useState<Role | null>(null);
  return (
    <ul class="links">
      {ROLES.map((role) => (
        <LinkRow
          key={role}
          console={console}
          role={role}
          url={room[`${role}URL`] ?? ""}
          qr={qrRole === role}
          onQr={() => setQrRole(qrRole === role ? null : role)}
        />
      ))}
    </ul>
  );
}

interface LinkRowProps {
  readonly console: Console;
  readonly role: Role;
  readonly url: string;
  readonly qr: boolean;
  readonly onQr: () => void;
}

function LinkRow({ console, role, url, qr, onQr }: LinkRowProps) {
  const shown = text.liveRoom.roles[role] ?? role;
  async function copyLink(): Promise<void> {
    if (await copy(url)) console.notices.show(text.liveRoom.copied(shown));
  }
  return (
    <li class="link-row">
      <div class="link-role">
        <strong>{shown}</strong> <span class="hint">{text.liveRoom.roleHints[role]}</span>
      </div>
      <input
        type="text"
        readOnly
        value={url}
        aria-label={text.liveRoom.linkOf(shown)}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div class="link-actions">
        <IconButton
          icon="copy"
          label={text.liveRoom.copyLink(shown)}
          shown={text.liveRoom.copy}
          onClick={() => void copyLink()}
        />
        <IconButton icon="qr" label={text.liveRoom.qrOf(shown)} onClick={onQr} />
      </div>
      {qr && <QrCode url={url} label={text.liveRoom.qrOf(shown)} />}
    </li>
  );
}

/** The code is drawn once its library is here; its place is kept until then, so that nothing below it moves. */
export function QrCode({ url, label }: { readonly url: string; readonly label: string }) {
  const [path, setPath] = useState<{ readonly size: number; readonly drawn: string } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let current = true;
    import("../session/qr_code.ts").then(
      ({ qrPath }) => current && setPath(qrPath(url)),
      () => current && setFailed(true),
    );
    return () => {
      current = false;
    };
  }, [url]);
  if (failed) return <ErrorMessage text={{ title: text.liveRoom.qrFailed, advice: "" }} />;
  const size = path?.size ?? 0;
  return (
    <figure class="qr" aria-busy={!path}>
      <svg
        role="img"
        aria-label={path ? label : text.loading}
        viewBox={`-4 -4 ${size + 8} ${size + 8}`}
        shape-rendering="crispEdges"
      >
        {path && <path d={path.drawn} />}
      </svg>
      <figcaption class="hint">{text.liveRoom.qrHint}</figcaption>
    </figure>
  );
}

/** A room's links over the list of rooms. */
export function LinksDialog({ console, room, onClose }: LinksProps & { readonly onClose: () => void }) {
  return (
    <Dialog title={text.rooms.linksOf(room.roomName ?? "")} onClose={onClose}>
      <p class="hint">{text.liveRoom.linksHint}</p>
      <Links console={console} room={room} />
      <p class="dialog-notice" role="status">
        {console.notices.current.value}
      </p>
    </Dialog>
  );
}
