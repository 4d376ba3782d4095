import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useReturnFocus } from "../components/focus.ts";
import { Icon } from "../components/Icon.tsx";
import { countOf, sizeOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { FILE_BYTES_MAX, TEXT_LENGTH_MAX } from "../session/chat.ts";
import type { Meeting } from "../session/meeting.ts";
import { MessageItem } from "./MessageItem.tsx";

/** Who is this near to the end of the list, in CSS pixels, reads the newest messages. */
const NEAR_END = 48;

/** The chat. New messages are read out by the live region, so the list itself is not one. */
export function ChatPanel({ meeting }: { readonly meeting: Meeting }) {
  const panel = useRef<HTMLElement>(null);
  const tooLarge = useSignal(false);
  useReturnFocus(panel, '[data-control="chat"]');
  const close = () => meeting.chat.show(false);
  const mayAttach = meeting.settings.current.value?.chatFiles !== false;

  function attach(files: Iterable<File>): void {
    if (!mayAttach) return;
    const all = [...files];
    tooLarge.value = all.some(({ size }) => size > FILE_BYTES_MAX);
    for (const file of all) if (file.size <= FILE_BYTES_MAX) void sendFile(meeting, file);
  }

  return (
    <aside
      ref={panel}
      class="chat-panel"
      aria-label={text.chat.title}
      onKeyDown={(event) => event.key === "Escape" && close()}
      onDragOver={(event) => mayAttach && event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        attach(event.dataTransfer?.files ?? []);
      }}
    >
      <header class="panel-head">
        <h2>{text.chat.title}</h2>
        <button type="button" class="quiet" aria-label={text.controls.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Messages meeting={meeting} />
      <Composer meeting={meeting} attach={mayAttach ? attach : null} tooLarge={tooLarge} />
    </aside>
  );
}

async function sendFile(meeting: Meeting, file: File): Promise<void> {
  const files = await meeting.conversation.files().catch(() => null);
  await files?.send(file);
}

/** The messages. The list follows the newest one, except for a user who reads older ones. */
function Messages({ meeting }: { readonly meeting: Meeting }) {
  const messages = meeting.chat.messages.value;
  const list = useRef<HTMLOListElement>(null);
  const follows = useRef(true);
  const hasNewer = useSignal(false);
  const newest = messages.at(-1);
  const isKept = meeting.settings.current.value?.chatHistory !== false;
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
      {messages.length === 0 && <p class="chat-empty">{isKept ? text.chat.empty : text.chat.emptyNotKept}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard */}
      <ol ref={list} class="messages" tabIndex={0} aria-label={text.chat.messages} onScroll={onScroll}>
        {messages.map((message) => (
          <MessageItem key={message.id} message={message} conversation={meeting.conversation} />
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

interface ComposerProps {
  readonly meeting: Meeting;
  /** Null where the room allows no files. */
  readonly attach: ((files: Iterable<File>) => void) | null;
  readonly tooLarge: Signal<boolean>;
}

function Composer({ meeting, attach, tooLarge }: ComposerProps) {
  const { draft } = meeting.chat;
  const input = useRef<HTMLInputElement>(null);
  const surplus = draft.value.trim().length - TEXT_LENGTH_MAX;
  useLayoutEffect(() => input.current?.focus(), []);

  function submit(event: Event): void {
    event.preventDefault();
    tooLarge.value = false;
    void meeting.conversation.sendDraft();
    input.current?.focus();
  }

  function paste(event: ClipboardEvent): void {
    const files = event.clipboardData?.files;
    if (!attach || !files || files.length === 0) return;
    event.preventDefault();
    attach(files);
  }

  return (
    <form class="composer" onSubmit={submit}>
      <p class="composer-problem" role="alert">
        {surplus > 0 && text.chat.tooLong(countOf(surplus))}
        {tooLarge.value && text.chat.fileTooLarge(sizeOf(FILE_BYTES_MAX))}
      </p>
      {attach && <AttachButton attach={attach} />}
      <input
        ref={input}
        value={draft.value}
        dir={draft.value ? "auto" : undefined}
        aria-label={text.chat.input}
        aria-invalid={surplus > 0}
        placeholder={text.chat.input}
        autocomplete="off"
        onPaste={paste}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
      />
      <button
        type="submit"
        class="quiet"
        aria-label={text.chat.send}
        title={text.chat.send}
        disabled={draft.value.trim() === "" || surplus > 0}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}

function AttachButton({ attach }: { readonly attach: (files: Iterable<File>) => void }) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={text.chat.attach}
        title={text.chat.attach}
        onClick={() => chooser.current?.click()}
      >
        <Icon name="attach" />
      </button>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          attach(currentTarget.files ?? []);
          currentTarget.value = "";
        }}
      />
    </>
  );
}
