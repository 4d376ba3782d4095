import { useSignal } from "@preact/signals";
import { copyText } from "../components/clipboard.ts";
import { Icon } from "../components/Icon.tsx";
import { sizeOf, timeOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { ChatFile, ChatMessage } from "../session/chat.ts";
import type { Conversation } from "../session/conversation.ts";
import { blocksOf, type Piece, piecesOf } from "../session/links.ts";

/** What is shown of a long message at first. */
const SHOWN_LENGTH = 2000;

/** How long a button says that it has copied. */
const COPIED_MS = 2000;

interface MessageItemProps {
  readonly message: ChatMessage;
  readonly conversation: Conversation;
}

export function MessageItem({ message, conversation }: MessageItemProps) {
  const { at, file, from, mine, state } = message;
  return (
    <li class={mine ? "mine" : ""} data-state={state}>
      <div class="from">
        <bdi>{mine ? text.chat.you : from}</bdi> <time dateTime={at.toISOString()}>{timeOf(at)}</time>
        {!file && <CopyButton words={message.text} />}
      </div>
      {file ? <FileCard message={message} file={file} conversation={conversation} /> : <Words words={message.text} />}
      {state === "failed" && (
        <p class="not-sent">
          {text.chat.failed}{" "}
          <button type="button" class="action" onClick={() => void conversation.sendAgain(message)}>
            {text.chat.sendAgain}
          </button>
        </p>
      )}
    </li>
  );
}

function Words({ words }: { readonly words: string }) {
  const all = useSignal(false);
  const isLong = words.length > SHOWN_LENGTH && !all.value;
  const [first = [], ...others] = blocksOf(piecesOf(isLong ? shortened(words) : words));
  return (
    <>
      <p class={others.length > 0 ? "words in-blocks" : "words"} dir="auto">
        {others.length > 0 ? (
          [first, ...others].map((block) => (
            <span key={block[0]?.at}>
              <Pieces pieces={block} />
            </span>
          ))
        ) : (
          <Pieces pieces={first} />
        )}
        {isLong && " …"}
      </p>
      {isLong && (
        <button
          type="button"
          class="action"
          onClick={() => {
            all.value = true;
          }}
        >
          {text.chat.showAll}
        </button>
      )}
    </>
  );
}

function Pieces({ pieces }: { readonly pieces: readonly Piece[] }) {
  return (
    <>
      {pieces.map(({ at, text: written, href }) =>
        href ? (
          <a key={at} href={href} target="_blank" rel="noopener noreferrer">
            {written}
          </a>
        ) : (
          written
        ),
      )}
    </>
  );
}

/** The beginning, without a link that would be cut. */
function shortened(words: string): string {
  const cut = words.slice(0, SHOWN_LENGTH);
  const space = cut.search(/\s\S*$/u);
  return space > SHOWN_LENGTH / 2 ? cut.slice(0, space) : cut.replace(/https?:\/\/\S*$/iu, "");
}

function CopyButton({ words }: { readonly words: string }) {
  const done = useSignal(false);
  async function copy(): Promise<void> {
    done.value = await copyText(words);
    setTimeout(() => {
      done.value = false;
    }, COPIED_MS);
  }
  return (
    <button type="button" class="quiet copy" title={text.chat.copy} onClick={() => void copy()}>
      <Icon name="copy" />
      <span class={done.value ? "copied" : "visually-hidden"} role="status">
        {done.value ? text.chat.copied : ""}
      </span>
      {!done.value && <span class="visually-hidden">{text.chat.copy}</span>}
    </button>
  );
}

interface FileCardProps extends MessageItemProps {
  readonly file: ChatFile;
}

function FileCard({ message, file, conversation }: FileCardProps) {
  const { isPicture, name, sizeBytes, url } = file;
  return (
    <div class="file words">
      {isPicture && url && <img src={url} alt="" />}
      <span class="file-name">
        <bdi>{name}</bdi> <small>{sizeOf(sizeBytes)}</small>
      </span>
      {message.state === "sending" && <Progress message={message} file={file} conversation={conversation} />}
      {message.state === "sent" && url && (
        <a class="action" href={url} download={name} aria-label={text.chat.download(name)}>
          <Icon name="download" />
        </a>
      )}
      {!url && <small>{text.chat.gone}</small>}
    </div>
  );
}

function Progress({ message, file, conversation }: FileCardProps) {
  const cancel = async () => (await conversation.files()).cancel(message.id);
  return (
    <>
      <progress value={file.progress.value} aria-label={text.chat.progressOf(file.name)} />
      <button type="button" class="action" onClick={() => void cancel()}>
        {text.chat.cancel}
      </button>
    </>
  );
}
