import { useLayoutEffect, useRef, useState } from "preact/hooks";

/**
 * Gives the focus back to what had it when this was opened, if it would be lost with what closes.
 * @param opener finds the button that opens it, for browsers in which a click does not focus a button.
 */
export function useReturnFocus(ref: { readonly current: HTMLElement | null }, opener?: string): void {
  // while it is rendered for the first time, the focus is still where it was opened from
  const [before] = useState(() => document.activeElement);
  useLayoutEffect(
    () => () => {
      const { activeElement } = document;
      // a user who has gone on to another place stays there
      if (activeElement && activeElement !== document.body && !ref.current?.contains(activeElement)) return;
      queueMicrotask(() => {
        // another panel may have taken the focus meanwhile
        if (document.activeElement !== document.body) return;
        focusFirst(before, opener ? document.querySelector(opener) : null);
      });
    },
    [before, opener, ref],
  );
}

/** Keeps the focus in an element whose focused part has gone: a list, after the deletion of an entry. */
export function useFocusKept(ref: { readonly current: HTMLElement | null }): void {
  const had = useRef(false);
  had.current = ref.current?.contains(document.activeElement) ?? false;
  // before the next key press: Escape in it has to close the panel
  useLayoutEffect(() => {
    if (had.current && document.activeElement === document.body) focusFirst(ref.current);
  });
}

/** The first of them that can still be focused; else the meeting itself, so that Tab goes on from there. */
function focusFirst(...candidates: readonly (Element | null)[]): void {
  for (const element of [...candidates, document.querySelector("main")]) {
    if (!(element instanceof HTMLElement) || element === document.body || !element.isConnected) continue;
    element.focus();
    if (document.activeElement === element) return;
  }
}
