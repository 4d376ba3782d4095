/** What a control needs to be seen beside what is around it (WCAG 2.2, 1.4.11). */
export const VISIBLE = 3;
/** What is around the accent colour in each theme (styles/theme.css). */
export const SURFACES = { accentLight: "#ffffff", accentDark: "#1a2221" } as const;
const HEX = /^#[0-9a-f]{6}$/i;

export function isColour(value: string): boolean {
  return HEX.test(value);
}

/** The contrast of two colours, from 1 to 21 (WCAG 2.2, “contrast ratio”). */
export function contrastOf(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** White or black, whichever is easier to read on a colour. */
export function textOn(colour: string): string {
  return contrastOf(colour, "#ffffff") >= contrastOf(colour, "#000000") ? "#ffffff" : "#000000";
}
