import { text } from "../i18n/index.ts";
import type { Brand } from "../session/brand.ts";

/** Whose page this is. The name is read once: a logo has it as its alternative text. */
export function BrandMark({ brand: { name, logo } }: { readonly brand: Brand }) {
  if (!name && !logo) return null;
  return (
    <p class="brand">
      {logo && <img src={logo} alt={name || text.appName} />}
      {name && <span aria-hidden={logo ? "true" : undefined}>{name}</span>}
    </p>
  );
}
