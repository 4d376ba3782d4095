import type { ComponentChildren } from "preact";
import type { ErrorText } from "../i18n/index.ts";

interface ErrorMessageProps {
  readonly text: ErrorText;
  /** The subject, where the title alone does not name it. */
  readonly about?: string | undefined;
  readonly id?: string;
  readonly children?: ComponentChildren;
}

/** What happened and what to do. Screen readers read it at once. */
export function ErrorMessage({ text, about, id, children }: ErrorMessageProps) {
  return (
    <div class="message" role="alert" id={id}>
      <p>
        <strong>
          {about && `${about}: `}
          {text.title}
        </strong>{" "}
        {text.advice}
      </p>
      {children}
    </div>
  );
}
