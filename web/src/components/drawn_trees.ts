import { options, type VNode } from "preact";

/** What Preact 11 keeps with an element (its `mangle.json`): its component, and what was drawn for it. */
interface Drawn {
  readonly __c?: { readonly __v?: Drawn } | null;
  readonly __k?: unknown;
}

/**
 * Frees what a component has drawn when it draws itself again.
 *
 * An element that a parent holds among its `children` keeps the first tree that was drawn for it, and what does not
 * change in a tree refers to the next one: the first would keep all later ones in memory, those of an hour's meeting.
 */
export function freeDrawnTrees(): void {
  const { vnode: before } = options;
  options.vnode = (element: VNode) => {
    const drawn = (element as Drawn).__c?.__v;
    // it is compared with the new one first
    if (drawn) queueMicrotask(() => Object.assign(drawn, { __k: null }));
    before?.(element);
  };
}
