import { useEffect, useRef, useState } from "preact/hooks";
import { contrastOf, isColour, SURFACES, textOn, VISIBLE } from "../../session/contrast.ts";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { Field } from "./parts.tsx";
import { type SettingsForm, SettingsPanel } from "./SettingsPanel.tsx";

const STANDARD = { accentLight: "#0f6b63", accentDark: "#5fd6c4" } as const;
const ACCENTS = ["accentLight", "accentDark"] as const;
const LOGO_KINDS = "image/png,image/jpeg,image/webp,image/svg+xml";
const LOGO_MAX = 200_000;

type Accent = (typeof ACCENTS)[number];

/** How meetings look: a name, a logo, and colours that can be seen. */
export function AppearancePanel({ state, save }: SettingsForm) {
  const words = text.settings;
  const [look, setLook] = useState(state.values.appearance);
  const change = () => {
    if (ACCENTS.some((accent) => problemOf(accent, look[accent]))) return null;
    return { appearance: { ...look, name: look.name.trim() } };
  };
  return (
    <SettingsPanel title={words.appearance} state={state} names={["appearance"]} save={save} change={change}>
      <Field label={words.appearanceName}>
        {(tied) => (
          <input
            {...tied}
            type="text"
            maxLength={60}
            placeholder={text.product}
            value={look.name}
            onInput={(event) => setLook({ ...look, name: event.currentTarget.value })}
          />
        )}
      </Field>
      <Logo logo={look.logo} onLogo={(logo) => setLook({ ...look, logo })} />
      {ACCENTS.map((accent) => (
        <Colour
          key={accent}
          accent={accent}
          colour={look[accent]}
          onColour={(colour) => setLook({ ...look, [accent]: colour })}
        />
      ))}
    </SettingsPanel>
  );
}

/** A picture from a file, which becomes a `data:` URL. */
function Logo({ logo, onLogo }: { readonly logo: string; readonly onLogo: (logo: string) => void }) {
  const words = text.settings;
  const [tooLarge, setTooLarge] = useState(false);
  function read(file: File | undefined): void {
    if (!file) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const url = String(reader.result);
      setTooLarge(url.length > LOGO_MAX);
      if (url.length <= LOGO_MAX) onLogo(url);
    });
    reader.readAsDataURL(file);
  }
  return (
    <Field label={words.appearanceLogo} hint={words.logoHint} problem={tooLarge ? words.logoTooLarge : null}>
      {(tied) => (
        <div class="logo-field">
          {logo && <img src={logo} alt="" />}
          <input {...tied} type="file" accept={LOGO_KINDS} onChange={(event) => read(event.currentTarget.files?.[0])} />
          {logo && (
            <button type="button" class="small" onClick={() => onLogo("")}>
              {words.removeLogo}
            </button>
          )}
        </div>
      )}
    </Field>
  );
}

interface ColourProps {
  readonly accent: Accent;
  readonly colour: string;
  readonly onColour: (colour: string) => void;
}

/** A colour, and whether it can be seen in its theme. */
function Colour({ accent, colour, onColour }: ColourProps) {
  const words = text.settings;
  const shown = isColour(colour) ? colour : STANDARD[accent];
  const problem = problemOf(accent, colour);
  return (
    <Field
      label={words[accent]}
      hint={problem ? undefined : `${ratioOf(accent, shown)}, ${words.contrastGood}`}
      problem={problem}
    >
      {(tied) => (
        <div class="colour">
          <input
            type="color"
            aria-label={words.pick(words[accent])}
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
          <Sample colour={shown} />
        </div>
      )}
    </Field>
  );
}

function problemOf(accent: Accent, colour: string): string | null {
  const words = text.settings;
  if (colour === "") return null;
  if (!isColour(colour)) return words.badColour;
  if (contrastOf(colour, SURFACES[accent]) >= VISIBLE) return null;
  return `${ratioOf(accent, colour)}, ${words.contrastPoor}`;
}

function ratioOf(accent: Accent, colour: string): string {
  return text.settings.contrast(numberOf(contrastOf(colour, SURFACES[accent]), 1));
}

/** How a button will look. Set by script: the policy allows no style attribute. */
function Sample({ colour }: { readonly colour: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    ref.current?.style.setProperty("background", colour);
    ref.current?.style.setProperty("color", textOn(colour));
  }, [colour]);
  return (
    <span ref={ref} class="sample" aria-hidden="true">
      {text.settings.preview}
    </span>
  );
}
