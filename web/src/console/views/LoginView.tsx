import { useState } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { Field, passwordType, RefusalMessage, Switch } from "./parts.tsx";

const USER = "admin";

export function LoginView({ console }: { readonly console: Console }) {
  const [user, setUser] = useState(USER);
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const { running, refusal } = console.login;
  return (
    <main class="card-page" tabIndex={-1}>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void console.logIn(user, password);
        }}
      >
        <Brand console={console} />
        <h1>{text.login.title}</h1>
        {console.sessionEnded.value && !refusal.value && (
          <p class="message" role="status">
            {text.login.ended}
          </p>
        )}
        <Field label={text.login.user}>
          {(tied) => (
            <input
              {...tied}
              type="text"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              required
              value={user}
              onInput={(event) => setUser(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={text.login.password}>
          {(tied) => (
            <input
              {...tied}
              type={passwordType(shown)}
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
        <Switch label={text.login.show} on={shown} onChange={setShown} />
        <RefusalMessage refusal={refusal.value} />
        <button type="submit" class="primary" disabled={running.value}>
          {text.login.logIn}
        </button>
        <p class="hint">{text.login.hint}</p>
      </form>
    </main>
  );
}

/** Whose console this is. The name is read once: a logo that stands alone has it as its alternative text. */
export function Brand({ console }: { readonly console: Console }) {
  const { name, logo } = console.brand.value;
  return (
    <p class="brand">
      {logo ? <img src={logo} alt={name ? "" : text.product} /> : <OwnMark />}
      <span>
        {name || (logo ? "" : text.product)} <small>{text.console}</small>
      </span>
    </p>
  );
}

function OwnMark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" />
      <circle cx="12" cy="14" r="5" />
      <circle class="second" cx="21" cy="18" r="5" />
    </svg>
  );
}
