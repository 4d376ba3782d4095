import { useState } from "preact/hooks";
import { Dialog } from "../../components/Dialog.tsx";
import type { ApiKey } from "../api/types.ts";
import { dayOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { Confirm } from "./Confirm.tsx";
import { copy } from "./clipboard.ts";
import { Field, IconButton, RefusalMessage } from "./parts.tsx";

type Props = { readonly console: Console };
type Asked = { readonly key: ApiKey; readonly what: "rotate" | "revoke" } | null;

/** The keys of applications: made, rotated without a gap, revoked. */
export function ApiKeysPanel({ console }: Props) {
  const words = text.keys;
  const { keys, action, refusal, made } = console.apiKeys;
  const [name, setName] = useState("");
  const [asked, setAsked] = useState<Asked>(null);
  async function create(): Promise<void> {
    if (await console.apiKeys.create(name.trim())) setName("");
  }
  return (
    <section class="panel" aria-labelledby="api-keys">
      <h2 id="api-keys">{words.list}</h2>
      <p class="hint">
        {words.hint}{" "}
        <a href="/meet/api/v1/docs" target="_blank" rel="noopener">
          {words.reference}
        </a>
      </p>
      <RefusalMessage refusal={refusal.value ?? (asked ? null : action.refusal.value)} />
      <ul class="rows">
        {keys.value.map((key) => (
          <KeyRow key={key.id} apiKey={key} onAsk={(what) => setAsked({ key, what })} />
        ))}
      </ul>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label={words.name}>
          {(tied) => (
            <input
              {...tied}
              type="text"
              required
              maxLength={100}
              autocomplete="off"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <button type="submit" class="primary" disabled={action.running.value || !name.trim()}>
          {words.create}
        </button>
      </form>
      {asked && !made.value && <Ask console={console} asked={asked} onClose={() => setAsked(null)} />}
      {made.value && <MadeKey console={console} />}
    </section>
  );
}

/** Its own name, or what it is where it has none. */
function nameOf({ name, source }: ApiKey): string {
  return name || (text.keys.names[source] ?? source);
}

function KeyRow({ apiKey, onAsk }: { readonly apiKey: ApiKey; readonly onAsk: (what: "rotate" | "revoke") => void }) {
  const words = text.keys;
  const { createdAt, lastUsedAt, previousUntil, source } = apiKey;
  const name = nameOf(apiKey);
  return (
    <li class="row" data-key={name}>
      <div class="row-main">
        <strong>{name}</strong>
        <p class="row-facts">
          {createdAt !== undefined && <span>{words.createdAt(dayOf(createdAt))}</span>}
          <span>{lastUsedAt === undefined ? words.unused : words.used(dayOf(lastUsedAt))}</span>
          {previousUntil !== undefined && <span>{words.ends(dayOf(previousUntil))}</span>}
        </p>
        {source === "configured" && <p class="hint">{words.configured}</p>}
      </div>
      {source !== "configured" && (
        <div class="row-actions">
          <IconButton
            icon="rotate"
            label={words.rotateOne(name)}
            shown={words.rotate}
            onClick={() => onAsk("rotate")}
          />
          <IconButton
            icon="delete"
            kind="danger"
            label={words.revokeOne(name)}
            shown={words.revoke}
            onClick={() => onAsk("revoke")}
          />
        </div>
      )}
    </li>
  );
}

function Ask({ console, asked, onClose }: Props & { asked: NonNullable<Asked>; onClose: () => void }) {
  const words = text.keys;
  const { apiKeys } = console;
  const { key, what } = asked;
  const [graceS, setGraceS] = useState("86400");
  async function revoke(): Promise<void> {
    if (!(await apiKeys.revoke(key.id))) return;
    console.notices.show(words.revoked(nameOf(key)));
    onClose();
  }
  async function rotate(): Promise<void> {
    if (await apiKeys.rotate(key.id, Number(graceS))) onClose();
  }
  if (what === "revoke")
    return (
      <Confirm
        title={words.revokeTitle(nameOf(key))}
        words={words.revokeWords}
        action={words.revokeAction}
        doing={apiKeys.action}
        onConfirm={() => void revoke()}
        onClose={onClose}
      />
    );
  return (
    <Confirm
      title={words.rotateTitle(nameOf(key))}
      words={words.rotateWords}
      action={words.rotateAction}
      danger={false}
      doing={apiKeys.action}
      onConfirm={() => void rotate()}
      onClose={onClose}
    >
      <Field label={words.grace}>
        {(tied) => (
          <select {...tied} value={graceS} onChange={(event) => setGraceS(event.currentTarget.value)}>
            {Object.entries(words.graces).map(([seconds, label]) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Confirm>
  );
}

/** A new secret, which is shown once. */
function MadeKey({ console }: Props) {
  const words = text.keys;
  const { made } = console.apiKeys;
  const [copied, setCopied] = useState(false);
  const close = () => {
    made.value = null;
  };
  const name = made.value ? nameOf(made.value) : "";
  const key = made.value?.key ?? "";
  return (
    <Dialog title={words.made(name)} onClose={close}>
      <p>{words.madeHint}</p>
      <Field label={words.key}>
        {(tied) => (
          <input {...tied} type="text" readOnly value={key} onFocus={(event) => event.currentTarget.select()} />
        )}
      </Field>
      <p role="status" class="hint">
        {copied && words.copied}
      </p>
      <div class="dialog-actions">
        <button type="button" onClick={() => void copy(key).then(setCopied)}>
          {words.copy}
        </button>
        <button type="button" class="primary" onClick={close}>
          {words.done}
        </button>
      </div>
    </Dialog>
  );
}
