import { useLayoutEffect } from "preact/hooks";
import { lazyView } from "../../views/lazy.tsx";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { Brand, LoginView } from "./LoginView.tsx";
import { Shell } from "./Shell.tsx";

const WelcomeView = lazyView(async () => (await import("./WelcomeView.tsx")).WelcomeView);

export function App({ console }: { readonly console: Console }) {
  const product = console.brand.value.name || text.product;
  const section = console.stage.value === "ready" ? text.sections[console.router.route.value.section] : "";
  useLayoutEffect(() => {
    document.title = [section, product].filter(Boolean).join(" – ");
  }, [section, product]);
  switch (console.stage.value) {
    case "opening":
      return (
        <main class="card-page">
          <p class="loading" role="status">
            {text.loading}
          </p>
        </main>
      );
    case "unreachable":
      return (
        <main class="card-page">
          <div class="card">
            <Brand console={console} />
            <h1>{text.login.unreachable}</h1>
            <p>{text.errors.offline?.advice}</p>
            <button type="button" class="primary" onClick={() => void console.open()}>
              {text.retry}
            </button>
          </div>
        </main>
      );
    case "login":
      return <LoginView console={console} />;
    case "welcome":
      return (
        <main class="card-page" tabIndex={-1}>
          <WelcomeView console={console} />
        </main>
      );
    default:
      return <Shell console={console} />;
  }
}
