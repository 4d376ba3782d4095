import type { ApiClient } from "../api/client.ts";
import type { components } from "../api/schema.d.ts";
import { isColour, textOn } from "./contrast.ts";

/** The name and the logo of this installation; both are empty where it looks as Tertulia does. */
export interface Brand {
  readonly name: string;
  /** A `data:` address of a picture that can be shown. */
  readonly logo: string;
  /** Custom properties of styles (styles/theme.css): the accent colours of both themes, and what is read on them. */
  readonly properties: Readonly<Record<string, string>>;
}

export const PLAIN: Brand = { name: "", logo: "", properties: {} };

/** The page is shown after that, whether it knows how to look or not: it never changes its looks before the eyes. */
const WAIT_MS = 1500;

/**
 * How the page looks, before it is first shown; what cannot be read or shown is left out.
 * @param canShow whether a picture can be drawn; afterwards it is drawn without delay
 */
export async function loadBrand(
  client: ApiClient,
  canShow: (picture: string) => Promise<boolean>,
  waitMs: number = WAIT_MS,
): Promise<Brand> {
  const late = AbortSignal.timeout(waitMs);
  const gone = new Promise<never>((_, reject) => {
    late.addEventListener("abort", () => reject(late.reason));
  });
  const load = async () => {
    const look: Appearance = (await client.GET("/appearance", { signal: late })).data ?? {};
    const { name = "", logo = "" } = look;
    const properties = { ...accentOf("light", look), ...accentOf("dark", look) };
    return { name, properties, logo: logo && (await canShow(logo)) ? logo : "" };
  };
  return Promise.race([load(), gone]).catch(() => PLAIN);
}

type Appearance = Partial<components["schemas"]["AppearanceSettings"]>;

function accentOf(theme: "light" | "dark", { accentLight, accentDark }: Appearance): Record<string, string> {
  const accent = (theme === "light" ? accentLight : accentDark) ?? "";
  if (!isColour(accent)) return {};
  const on = textOn(accent);
  // away from the text's colour, so that hovering makes nothing harder to read
  const beyond = on === "#ffffff" ? "#000000" : "#ffffff";
  return {
    [`--brand-${theme}`]: accent,
    [`--brand-${theme}-hover`]: `color-mix(in srgb, ${accent} 80%, ${beyond})`,
    [`--on-brand-${theme}`]: on,
  };
}
