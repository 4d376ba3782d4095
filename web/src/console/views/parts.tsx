import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { ErrorMessage } from "../../components/ErrorMessage.tsx";
import type { Refusal } from "../api/refusal.ts";
import { text } from "../i18n/index.ts";
import { ConsoleIcon, type ConsoleIconName } from "./ConsoleIcon.tsx";

/** Why something was refused, in the console's words or else in the server's. */
export function RefusalMessage({ refusal, children }: { refusal: Refusal | null; children?: ComponentChildren }) {
  if (!refusal) return null;
  const known = text.errors[refusal.code];
  const fields = [...refusal.fields.values()].join(" ");
  const told = { title: refusal.message || text.errors.unexpected?.title || "", advice: fields };
  return <ErrorMessage text={known ?? told}>{children}</ErrorMessage>;
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problem?: string | null | undefined;
  /** Gets the attributes that tie the control to its label, hint and problem. */
  readonly children: (tied: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ComponentChildren;
}

/** A control with its label, a hint and what is wrong with its value. */
export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": Boolean(problem) })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="field-problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly hint?: string;
  readonly on: boolean;
  readonly disabled?: boolean;
  readonly onChange: (on: boolean) => void;
}

/** Something that is allowed or not. */
export function Switch({ label, hint, on, disabled = false, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch">
      <input
        type="checkbox"
        id={id}
        checked={on}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

interface IconButtonProps {
  readonly icon: ConsoleIconName | Parameters<typeof ConsoleIcon>[0]["name"];
  readonly label: string;
  /** What is shown beside the icon; the label alone is read out. */
  readonly shown?: string;
  readonly kind?: "plain" | "primary" | "danger";
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

/** A button with an icon; its words can be hidden where there is no room for them. */
export function IconButton({ icon, label, shown, kind = "plain", disabled = false, onClick }: IconButtonProps) {
  return (
    <button type="button" class={`tool ${kind}`} aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      <ConsoleIcon name={icon} />
      {shown && <span class="tool-text">{shown}</span>}
    </button>
  );
}

/** What is shown in place of a list without entries. */
export function Empty({ title, advice, children }: { title: string; advice?: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {advice && <p>{advice}</p>}
      {children}
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      {text.loading}
    </p>
  );
}

/** The type of a password's field; preact's types know no field that can be of either. */
export function passwordType(shown: boolean): "password" {
  return (shown ? "text" : "password") as "password";
}
