import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { embeddingCode } from "../session/embedding_code.ts";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { copy } from "./clipboard.ts";

interface EmbedCodeProps {
  readonly console: Console;
  /** The link of the room that its users get. */
  readonly url: string;
}

/** What shows a room in a page of one's own, to copy. */
export function EmbedCode({ console, url }: EmbedCodeProps) {
  const words = text.liveRoom;
  const code = embeddingCode(url);
  async function copyCode(): Promise<void> {
    if (await copy(code)) console.notices.show(words.codeCopied);
  }
  return (
    <details class="embed">
      <summary>{words.embed}</summary>
      <p class="hint">
        {words.embedHint}{" "}
        <a href="/docs/embedding.html" target="_blank" rel="noopener">
          {text.documentation}
        </a>
      </p>
      <textarea
        readOnly
        rows={5}
        spellcheck={false}
        aria-label={words.code}
        value={code}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button type="button" class="small" onClick={() => void copyCode()}>
        <ConsoleIcon name="copy" />
        {words.copyCode}
      </button>
    </details>
  );
}
