import { useState } from "preact/hooks";
import type { Room } from "../api/types.ts";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { expiryOf, NEW_ROOM, optionsOf } from "../session/new_room.ts";
import { isPasswordConfigured } from "../session/settings.ts";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { QrCode } from "./Links.tsx";
import { Brand } from "./LoginView.tsx";
import { PasswordForm } from "./PasswordPanel.tsx";
import { Field, RefusalMessage } from "./parts.tsx";

const STEPS = 3;

type Props = { readonly console: Console };

/** The first start, in three steps: a password of one's own, a room, and a look at it. */
export function WelcomeView({ console }: Props) {
  const [step, setStep] = useState(1);
  const [room, setRoom] = useState<Room | null>(null);
  return (
    <div class="card welcome">
      <Brand console={console} />
      <p class="step">{text.welcome.step(numberOf(step), numberOf(STEPS))}</p>
      <progress max={STEPS} value={step} aria-hidden="true" />
      <h1 key={step} ref={focus} tabIndex={-1}>
        {step === 1 ? text.welcome.title : step === 2 ? text.welcome.roomTitle : text.welcome.tryTitle}
      </h1>
      {step === 1 && <OwnPassword console={console} onDone={() => setStep(2)} />}
      {step === 2 && (
        <FirstRoom
          console={console}
          onDone={(made) => {
            setRoom(made);
            setStep(3);
          }}
        />
      )}
      {step === 3 && room && <TryIt console={console} room={room} />}
    </div>
  );
}

/** A screen reader goes on at each new step. */
function focus(title: HTMLElement | null): void {
  title?.focus();
}

function OwnPassword({ console, onDone }: Props & { readonly onDone: () => void }) {
  if (isPasswordConfigured(console.settings.state.value))
    return (
      <>
        <p class="hint">{text.password.configured}</p>
        <button type="button" class="primary" onClick={onDone}>
          {text.welcome.next}
        </button>
      </>
    );
  return (
    <>
      <h2>{text.welcome.passwordTitle}</h2>
      <p class="hint">{text.welcome.passwordHint}</p>
      <PasswordForm console={console} current={console.firstPassword} onDone={onDone} />
      <button type="button" class="text" onClick={onDone}>
        {text.welcome.keep}
      </button>
    </>
  );
}

function FirstRoom({ console, onDone }: Props & { readonly onDone: (room: Room) => void }) {
  const [name, setName] = useState("");
  const { creating } = console.rooms;
  async function create(): Promise<void> {
    const expiry = expiryOf(NEW_ROOM, Date.now());
    const room = expiry === null ? null : await console.rooms.create(optionsOf({ ...NEW_ROOM, name }, expiry));
    if (room) onDone(room);
  }
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <p class="hint">{text.welcome.roomHint}</p>
      <Field label={text.newRoom.name} hint={text.newRoom.nameHint}>
        {(tied) => (
          <input
            {...tied}
            type="text"
            autocomplete="off"
            maxLength={200}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        )}
      </Field>
      <RefusalMessage refusal={creating.refusal.value} />
      <div class="panel-actions">
        <button type="button" onClick={() => console.endWelcome()}>
          {text.welcome.later}
        </button>
        <button type="submit" class="primary" disabled={creating.running.value}>
          {text.welcome.create}
        </button>
      </div>
    </form>
  );
}

function TryIt({ console, room }: Props & { readonly room: Room }) {
  const role = text.liveRoom.roles.publisher ?? "";
  return (
    <>
      <p class="hint">{text.welcome.tryHint}</p>
      <a class="button primary" href={room.moderatorURL} target="_blank" rel="noopener">
        <ConsoleIcon name="open" />
        {text.welcome.open}
      </a>
      <QrCode url={room.publisherURL ?? ""} label={text.liveRoom.qrOf(role)} />
      <button type="button" onClick={() => console.endWelcome()}>
        {text.welcome.finish}
      </button>
    </>
  );
}
