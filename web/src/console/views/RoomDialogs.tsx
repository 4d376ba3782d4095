import { useState } from "preact/hooks";
import { Dialog } from "../../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import type { LiveRoom } from "../session/live_room.ts";
import { Confirm } from "./Confirm.tsx";
import { Field, RefusalMessage } from "./parts.tsx";

export type RoomDialog = "rotate" | "end" | "delete" | "message" | null;

interface RoomDialogProps {
  readonly console: Console;
  readonly live: LiveRoom;
  readonly onClose: () => void;
}

/** What is asked before something happens to the room. */
export function RoomDialogs({ dialog, ...props }: RoomDialogProps & { readonly dialog: RoomDialog }) {
  const { console, live, onClose } = props;
  const words = text.liveRoom;
  const act = (does: () => Promise<boolean>, done: string, then?: () => void) => async () => {
    if (!(await does())) return;
    console.notices.show(done);
    onClose();
    then?.();
  };
  switch (dialog) {
    case "rotate":
      return (
        <Confirm
          title={words.rotateTitle}
          words={words.rotateWords}
          action={words.rotateAction}
          danger={false}
          doing={live.action}
          onConfirm={act(() => live.rotateLinks(), words.rotated)}
          onClose={onClose}
        />
      );
    case "end":
      return (
        <Confirm
          title={words.endTitle}
          words={words.endWords}
          action={words.endAction}
          doing={live.action}
          onConfirm={act(() => live.end(), words.ended)}
          onClose={onClose}
        />
      );
    case "delete":
      return (
        <Confirm
          title={text.rooms.deleteTitle(1, "1")}
          words={text.rooms.deleteWords}
          action={text.rooms.deleteAction}
          doing={live.action}
          onConfirm={act(
            () => live.delete(),
            text.rooms.deleted(1, "1"),
            () => console.router.go("rooms"),
          )}
          onClose={onClose}
        />
      );
    case "message":
      return <MessageDialog {...props} />;
    default:
      return null;
  }
}

function MessageDialog({ console, live, onClose }: RoomDialogProps) {
  const [message, setMessage] = useState("");
  async function send(): Promise<void> {
    if (!(await live.send(message.trim()))) return;
    console.notices.show(text.liveRoom.sent);
    onClose();
  }
  return (
    <Dialog title={text.liveRoom.messageTitle} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Field label={text.liveRoom.messageLabel} hint={text.liveRoom.messageHint}>
          {(tied) => (
            <textarea
              {...tied}
              rows={3}
              maxLength={1000}
              required
              value={message}
              onInput={(event) => setMessage(event.currentTarget.value)}
            />
          )}
        </Field>
        <RefusalMessage refusal={live.action.refusal.value} />
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            {text.cancel}
          </button>
          <button type="submit" class="primary" disabled={live.action.running.value || !message.trim()}>
            {text.liveRoom.send}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
