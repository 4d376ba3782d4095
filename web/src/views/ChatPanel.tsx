import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { text } from "../i18n/index.ts";
import type { ChatMessage } from "../session/chat.ts";
import type { Meeting } from "../session/meeting.ts";

const MESSAGE_LENGTH_MAX = 2000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The chat. New messages are read out by the live region, so the list itself is not one. */
export function ChatPanel({ meeting }: { readonly meeting: Meeting }) {
  const messages = meeting.chat.messages.value;
  const list = useRef<HTMLOListElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is what makes the list scroll
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [messages]);
  const close = () => meeting.chat.show(false);
  return (
    <aside class="chat-panel" aria-label={text.chat.title} onKeyDown={(event) => event.key === "Escape" && close()}>
      <header class="panel-head">
        <h2>{text.chat.title}</h2>
        <button type="button" class="quiet" aria-label={text.controls.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {messages.length === 0 && <p class="chat-empty">{text.chat.empty}</p>}
      <ol ref={list} class="messages">
        {messages.map((message) => (
          <MessageItem key={message.id} message={message} />
        ))}
      </ol>
      <Composer meeting={meeting} />
    </aside>
  );
}

function MessageItem({ message }: { readonly message: ChatMessage }) {
  return (
    <li class={message.mine ? "mine" : ""}>
      <p class="from">
        <bdi>{message.mine ? text.chat.you : message.from}</bdi>{" "}
        <time dateTime={message.sentAt.toISOString()}>{clock.format(message.sentAt)}</time>
      </p>
      <p class="words" dir="auto">
        {message.text}
      </p>
    </li>
  );
}

function Composer({ meeting }: { readonly meeting: Meeting }) {
  const draft = useSignal("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const message = draft.value.trim();
    if (message && (await meeting.send(message))) draft.value = "";
  }

  return (
    <form class="composer" onSubmit={(event) => void submit(event)}>
      <input
        ref={input}
        value={draft.value}
        maxLength={MESSAGE_LENGTH_MAX}
        aria-label={text.chat.input}
        placeholder={text.chat.input}
        autocomplete="off"
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="quiet" aria-label={text.chat.send} disabled={draft.value.trim() === ""}>
        <Icon name="send" />
      </button>
    </form>
  );
}
