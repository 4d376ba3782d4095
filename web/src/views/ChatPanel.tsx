import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useReturnFocus } from "../components/focus.ts";
import { Icon } from "../components/Icon.tsx";
import { timeOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { ChatMessage } from "../session/chat.ts";
import type { Meeting } from "../session/meeting.ts";

const MESSAGE_LENGTH_MAX = 2000;

/** Who is this near to the end of the list, in CSS pixels, reads the newest messages. */
const NEAR_END = 48;

/** The chat. New messages are read out by the live region, so the list itself is not one. */
export function ChatPanel({ meeting }: { readonly meeting: Meeting }) {
  const panel = useRef<HTMLElement>(null);
  useReturnFocus(panel, '[data-control="chat"]');
  const close = () => meeting.chat.show(false);
  return (
    <aside
      ref={panel}
      class="chat-panel"
      aria-label={text.chat.title}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <header class="panel-head">
        <h2>{text.chat.title}</h2>
        <button type="button" class="quiet" aria-label={text.controls.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Messages meeting={meeting} />
      <Composer meeting={meeting} />
    </aside>
  );
}

/** The messages. The list follows the newest one, except for a user who reads older ones. */
function Messages({ meeting }: { readonly meeting: Meeting }) {
  const messages = meeting.chat.messages.value;
  const list = useRef<HTMLOListElement>(null);
  const follows = useRef(true);
  const hasNewer = useSignal(false);
  const newest = messages.at(-1);
  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is what makes the list scroll
  useEffect(() => {
    if (follows.current || newest?.mine) list.current?.scrollTo({ top: list.current.scrollHeight });
    else hasNewer.value = true;
  }, [newest?.id, newest?.mine, hasNewer]);
  function onScroll({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: { currentTarget: Element }): void {
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (follows.current) hasNewer.value = false;
  }
  return (
    <div class="messages-area">
      {messages.length === 0 && <p class="chat-empty">{text.chat.empty}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard */}
      <ol ref={list} class="messages" tabIndex={0} aria-label={text.chat.messages} onScroll={onScroll}>
        {messages.map((message) => (
          <MessageItem key={message.id} message={message} onSendAgain={() => void meeting.sendAgain(message)} />
        ))}
      </ol>
      {hasNewer.value && (
        <button type="button" class="newer" onClick={toEnd}>
          {text.chat.newer}
        </button>
      )}
    </div>
  );
}

interface MessageItemProps {
  readonly message: ChatMessage;
  readonly onSendAgain: () => void;
}

function MessageItem({ message, onSendAgain }: MessageItemProps) {
  return (
    <li class={message.mine ? "mine" : ""} data-state={message.state}>
      <p class="from">
        <bdi>{message.mine ? text.chat.you : message.from}</bdi>{" "}
        <time dateTime={message.at.toISOString()}>{timeOf(message.at)}</time>
      </p>
      <p class="words" dir="auto">
        {message.text}
      </p>
      {message.state === "failed" && (
        <p class="not-sent">
          {text.chat.failed}{" "}
          <button type="button" class="action" onClick={onSendAgain}>
            {text.chat.sendAgain}
          </button>
        </p>
      )}
    </li>
  );
}

function Composer({ meeting }: { readonly meeting: Meeting }) {
  const { draft } = meeting.chat;
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);

  function submit(event: Event): void {
    event.preventDefault();
    void meeting.sendDraft();
    input.current?.focus();
  }

  return (
    <form class="composer" onSubmit={submit}>
      <input
        ref={input}
        value={draft.value}
        maxLength={MESSAGE_LENGTH_MAX}
        dir={draft.value ? "auto" : undefined}
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
