import { useState } from "preact/hooks";
import { Dialog } from "../../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { expiryOf, type Lifetime, type NewRoom, newRoomFrom, optionsOf } from "../session/new_room.ts";
import { AllowedSwitches } from "./AllowedSwitches.tsx";
import { Field, RefusalMessage } from "./parts.tsx";

interface NewRoomDialogProps {
  readonly console: Console;
  readonly onClose: () => void;
}

export function NewRoomDialog({ console, onClose }: NewRoomDialogProps) {
  const [room, setRoom] = useState(() =>
    newRoomFrom(console.settings.state.peek()?.values.roomDefaults ?? {}, Date.now()),
  );
  const [past, setPast] = useState(false);
  const { creating } = console.rooms;
  const change = (changed: Partial<NewRoom>) => {
    setPast(false);
    setRoom({ ...room, ...changed });
  };
  async function create(): Promise<void> {
    const expiry = expiryOf(room, Date.now());
    setPast(expiry === null);
    if (expiry === null) return;
    const made = await console.rooms.create(optionsOf(room, expiry));
    if (!made?.roomName) return;
    console.notices.show(text.newRoom.created(made.roomName));
    onClose();
    console.router.go("rooms", made.roomName);
  }
  return (
    <Dialog title={text.newRoom.title} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label={text.newRoom.name} hint={text.newRoom.nameHint}>
          {(tied) => (
            <input
              {...tied}
              type="text"
              autocomplete="off"
              maxLength={200}
              value={room.name}
              onInput={(event) => change({ name: event.currentTarget.value })}
            />
          )}
        </Field>
        <Expiry room={room} past={past} onChange={change} />
        <Field label={text.newRoom.most} hint={text.newRoom.noLimit}>
          {(tied) => (
            <input
              {...tied}
              type="number"
              min="1"
              max="4294967295"
              inputmode="numeric"
              value={room.mostParticipants}
              onInput={(event) => change({ mostParticipants: event.currentTarget.value })}
            />
          )}
        </Field>
        <AllowedSet room={room} onChange={change} />
        <RefusalMessage refusal={creating.refusal.value} />
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            {text.newRoom.cancel}
          </button>
          <button type="submit" class="primary" disabled={creating.running.value}>
            {text.newRoom.create}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface PartProps {
  readonly room: NewRoom;
  readonly onChange: (changed: Partial<NewRoom>) => void;
}

function Expiry({ room, past, onChange }: PartProps & { readonly past: boolean }) {
  return (
    <>
      <Field label={text.newRoom.expires}>
        {(tied) => (
          <select
            {...tied}
            value={room.lifetime}
            onChange={(event) => onChange({ lifetime: event.currentTarget.value as Lifetime })}
          >
            {Object.entries(text.newRoom.lifetimes).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {room.lifetime === "date" && (
        <Field label={text.newRoom.expiresAt} problem={past ? text.newRoom.past : null}>
          {(tied) => (
            <input
              {...tied}
              type="datetime-local"
              required
              value={room.expiresAt}
              onInput={(event) => onChange({ expiresAt: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
    </>
  );
}

function AllowedSet({ room: { allowed }, onChange }: PartProps) {
  return (
    <fieldset class="switches">
      <legend>{text.newRoom.allowed}</legend>
      <AllowedSwitches allowed={allowed} onChange={(changed) => onChange({ allowed: { ...allowed, ...changed } })} />
    </fieldset>
  );
}
