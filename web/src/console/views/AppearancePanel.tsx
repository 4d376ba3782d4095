import { useEffect, useRef, useState } from "preact/hooks";
import type { Appearance, Changeable } from "../api/types.ts";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { contrastOf, isColour, READABLE } from "../session/contrast.ts";
import { Field } from "./parts.tsx";
import { type Save, SettingsPanel } from "./SettingsPanel.tsx";

/** What text stands on the accent colour in each theme (styles/theme.css). */
const ON_ACCENT = { accentLight: "#ffffff", accentDark: "#06231f" } as const;
const STANDARD = { accentLight: "#0f6b63", accentDark: "#5fd6c4" } as const;

type Accent = keyof typeof ON_ACCENT;

interface AppearancePanelProps {
  readonly setting: Changeable<Appearance>;
  readonly save: Save;
}

/** How meetings look: a name, a logo, and colours that stay readable. */
export function AppearancePanel({ setting, save }: AppearancePanelProps) {
  const words = text.settings;
  const [name, setName] = useState(setting.value.name ?? "");
  const [logo, setLogo] = useState(setting.value.logo ?? "");
  const [accents, setAccents] = useState({
    accentLight: setting.value.accentLight ?? "",
    accentDark: setting.value.accentDark ?? "",
  });
  const change = () => {
    if (Object.entries(accents).some(([accent, colour]) => !isUsable(accent as Accent, colour))) return null;
    const { accentLight, accentDark } = accents;
    const orNull = (value: string) => value.trim() || null;
    return {
      appearance: {
        name: orNull(name),
        logo: orNull(logo),
        accentLight: orNull(accentLight),
        accentDark: orNull(accentDark),
      },
    };
  };
  return (
    <SettingsPanel title={words.appearance} settings={{ appearance: setting }} save={save} change={change}>
      <Field label={words.appearanceName}>
        {(tied) => (
          <input {...tied} type="text" maxLength={60} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        )}
      </Field>
      <Field label={words.appearanceLogo}>
        {(tied) => (
          <input {...tied} type="text" inputmode="url" value={logo} onInput={(e) => setLogo(e.currentTarget.value)} />
        )}
      </Field>
      {(["accentLight", "accentDark"] as const).map((accent) => (
        <Colour
          key={accent}
          accent={accent}
          colour={accents[accent]}
          onColour={(colour) => setAccents({ ...accents, [accent]: colour })}
        />
      ))}
    </SettingsPanel>
  );
}

function isUsable(accent: Accent, colour: string): boolean {
  return colour === "" || (isColour(colour) && contrastOf(colour, ON_ACCENT[accent]) >= READABLE);
}

interface ColourProps {
  readonly accent: Accent;
  readonly colour: string;
  readonly onColour: (colour: string) => void;
}

/** A colour, and whether text on it can be read. */
function Colour({ accent, colour, onColour }: ColourProps) {
  const words = text.settings;
  const shown = isColour(colour) ? colour : STANDARD[accent];
  const contrast = contrastOf(shown, ON_ACCENT[accent]);
  const good = contrast >= READABLE;
  const ratio = words.contrast(numberOf(contrast, 1));
  const problem = colour && !isColour(colour) ? words.badColour : good ? null : `${ratio}, ${words.contrastPoor}`;
  return (
    <Field label={words[accent]} hint={good ? `${ratio}, ${words.contrastGood}` : undefined} problem={problem}>
      {(tied) => (
        <div class="colour">
          <input
            type="color"
            aria-label={words[accent]}
            value={shown}
            onInput={(event) => onColour(event.currentTarget.value)}
          />
          <input
            {...tied}
            type="text"
            placeholder={STANDARD[accent]}
            spellcheck={false}
            value={colour}
            onInput={(event) => onColour(event.currentTarget.value.trim())}
          />
          <Sample colour={shown} on={ON_ACCENT[accent]} />
        </div>
      )}
    </Field>
  );
}

/** How a button will look. Set by script: the policy allows no style attribute. */
function Sample({ colour, on }: { readonly colour: string; readonly on: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    ref.current?.style.setProperty("background", colour);
    ref.current?.style.setProperty("color", on);
  }, [colour, on]);
  return (
    <span ref={ref} class="sample" aria-hidden="true">
      {text.settings.preview}
    </span>
  );
}
