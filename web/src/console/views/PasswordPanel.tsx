import { useState } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { isLongEnough } from "../session/password.ts";
import { isPasswordConfigured } from "../session/settings.ts";
import { Field, passwordType, RefusalMessage, Switch } from "./parts.tsx";

export function PasswordPanel({ console }: { readonly console: Console }) {
  return (
    <section class="panel narrow" aria-labelledby="password">
      <h2 id="password">{text.settings.parts.password}</h2>
      {isPasswordConfigured(console.settings.state.value) ? (
        <p>{text.password.configured}</p>
      ) : (
        <>
          <p class="hint">{text.password.hint}</p>
          <PasswordForm console={console} onDone={() => console.notices.show(text.password.changed)} />
        </>
      )}
    </section>
  );
}

interface PasswordFormProps {
  readonly console: Console;
  /** The current password, where this login has just used it. */
  readonly current?: string;
  readonly onDone: () => void;
}

export function PasswordForm({ console, current: known = "", onDone }: PasswordFormProps) {
  const words = text.password;
  const [current, setCurrent] = useState(known);
  const [next, setNext] = useState("");
  const [shown, setShown] = useState(false);
  const [tried, setTried] = useState(false);
  const { running, refusal } = console.password;
  async function change(): Promise<void> {
    setTried(true);
    if (!isLongEnough(next) || !(await console.changePassword(current, next))) return;
    setCurrent("");
    setNext("");
    setTried(false);
    onDone();
  }
  const type = passwordType(shown);
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        void change();
      }}
    >
      {!known && (
        <Field label={words.current}>
          {(tied) => (
            <input
              {...tied}
              type={type}
              required
              autocomplete="current-password"
              value={current}
              onInput={(event) => setCurrent(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      <Field label={words.next} hint={words.nextHint} problem={tried && !isLongEnough(next) ? words.tooShort : null}>
        {(tied) => (
          <input
            {...tied}
            type={type}
            required
            autocomplete="new-password"
            value={next}
            onInput={(event) => setNext(event.currentTarget.value)}
          />
        )}
      </Field>
      <Switch label={text.login.show} on={shown} onChange={setShown} />
      <RefusalMessage refusal={refusal.value} />
      <div class="panel-actions">
        <button type="submit" class="primary" disabled={running.value}>
          {words.change}
        </button>
      </div>
    </form>
  );
}
