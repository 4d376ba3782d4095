import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorMessage } from "../../components/ErrorMessage.tsx";
import { text } from "../i18n/index.ts";
import { Loading } from "./parts.tsx";

/** A view whose code is loaded when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [state, setState] = useState<"loading" | "loaded" | "failed">(loaded ? "loaded" : "loading");
    useEffect(() => {
      if (loaded) return;
      load().then(
        (view) => {
          loaded = view;
          setState("loaded");
        },
        () => setState("failed"),
      );
    }, []);
    if (state === "failed") return <ErrorMessage text={text.lazyFailed} />;
    const View = loaded;
    return View ? <View {...props} /> : <Loading />;
  };
}
