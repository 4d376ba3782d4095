import type { ComponentChildren } from "preact";
import { Dialog } from "../../components/Dialog.tsx";
import { text } from "../i18n/index.ts";
import type { Action } from "../session/action.ts";
import { RefusalMessage } from "./parts.tsx";

interface ConfirmProps {
  readonly title: string;
  /** What happens, for good or for now. */
  readonly words: string;
  readonly action: string;
  readonly danger?: boolean;
  /** What is done, which may be refused; the dialog then says why. */
  readonly doing: Action;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Asks before something that cannot be taken back. Cancel comes first, so that Enter alone does no harm. */
export function Confirm({ title, words, action, danger = true, doing, onConfirm, onClose, children }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{words}</p>
      {children}
      <RefusalMessage refusal={doing.refusal.value} />
      <div class="dialog-actions">
        <button type="button" onClick={onClose}>
          {text.cancel}
        </button>
        <button type="button" class={danger ? "danger" : "primary"} disabled={doing.running.value} onClick={onConfirm}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
