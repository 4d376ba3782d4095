import { useEffect } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { hrefOf } from "../session/router.ts";
import { ApiKeysPanel } from "./ApiKeysPanel.tsx";
import { GeneralSettings } from "./GeneralSettings.tsx";
import { PasswordPanel } from "./PasswordPanel.tsx";

const PARTS = { general: GeneralSettings, keys: ApiKeysPanel, password: PasswordPanel } as const;

export function SettingsView({ console }: { readonly console: Console }) {
  const wanted = console.router.route.value.item ?? "";
  const part = (Object.hasOwn(PARTS, wanted) ? wanted : "general") as keyof typeof PARTS;
  const Part = PARTS[part];
  useEffect(() => {
    void console.settings.refresh();
    void console.apiKeys.refresh();
  }, [console]);
  return (
    <>
      <header class="screen-head">
        <h1>{text.settings.title}</h1>
      </header>
      <nav class="tabs" aria-label={text.settings.title}>
        {Object.entries(text.settings.parts).map(([name, label]) => (
          <a key={name} href={hrefOf("settings", name)} aria-current={part === name ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <Part console={console} />
    </>
  );
}
