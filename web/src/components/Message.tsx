import type { ComponentChildren } from "preact";
import type { Words } from "../i18n/index.ts";

interface MessageProps {
  readonly words: Words;
  /** What the words are about, where the title alone does not say it. */
  readonly about?: string | undefined;
  readonly id?: string;
  readonly children?: ComponentChildren;
}

/** A failure in words: what happened and what to do. It is spoken at once. */
export function Message({ words, about, id, children }: MessageProps) {
  return (
    <div class="message" role="alert" id={id}>
      <p>
        <strong>
          {about && `${about}: `}
          {words.title}
        </strong>{" "}
        {words.advice}
      </p>
      {children}
    </div>
  );
}
