import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface LazyView<Props> extends FunctionComponent<Props> {
  /** Loads the code before it is shown, so that it is there at once. Can be called again, also after a failure. */
  readonly load: () => Promise<void>;
}

/**
 * A view whose code is loaded when it is shown for the first time. Until then nothing takes its place: the layout changes
 * once, and the focus stays where it is until the view takes it. Code that cannot be loaded is a failure of the error
 * boundary around it, whose button tries again.
 *
 *     const ChatPanel = lazyView(async () => (await import("./ChatPanel.tsx")).ChatPanel);
 */
export function lazyView<Props>(importView: () => Promise<FunctionComponent<Props>>): LazyView<Props> {
  let View: FunctionComponent<Props> | null = null;

  async function load(): Promise<void> {
    View ??= await importView();
  }

  function Lazy(props: Props & preact.Attributes) {
    const [failure, setFailure] = useState<{ readonly cause: unknown } | null>(null);
    const [, setLoaded] = useState(View !== null);
    useEffect(() => {
      // what was not there when this was drawn may have come since: it is drawn again in each case
      load().then(
        () => setLoaded(true),
        (cause: unknown) => setFailure({ cause }),
      );
    }, []);
    if (failure) throw failure.cause;
    return View && <View {...props} />;
  }

  return Object.assign(Lazy, { load });
}
