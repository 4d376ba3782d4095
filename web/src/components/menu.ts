import { type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Menu<Around extends HTMLElement> {
  readonly open: Signal<boolean>;
  /** What holds the button and the menu. */
  readonly around: { readonly current: Around | null };
}

/**
 * A menu that opens at its button: its first entry has the focus, Escape closes it and gives the focus back, and so does
 * a press elsewhere.
 * @param first finds the entry that is focused
 * @param button finds the button that opens it
 */
export function useMenu<Around extends HTMLElement>(first: string, button: string): Menu<Around> {
  const open = useSignal(false);
  const around = useRef<Around>(null);
  useLayoutEffect(() => {
    if (!open.value) return;
    around.current?.querySelector<HTMLElement>(first)?.focus();
    function onPress({ target }: Event): void {
      if (target instanceof Node && !around.current?.contains(target)) open.value = false;
    }
    function onKey({ key }: KeyboardEvent): void {
      if (key !== "Escape") return;
      open.value = false;
      around.current?.querySelector<HTMLElement>(button)?.focus();
    }
    addEventListener("pointerdown", onPress);
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("pointerdown", onPress);
      removeEventListener("keydown", onKey);
    };
  }, [open, open.value, first, button]);
  return { open, around };
}
