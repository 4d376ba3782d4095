import { correction, generate } from "lean-qr";

/** A QR code as an SVG path of squares, one unit each. */
export function qrPath(text: string): { readonly size: number; readonly drawn: string } {
  const code = generate(text, { minCorrectionLevel: correction.M });
  const drawn: string[] = [];
  for (let y = 0; y < code.size; y += 1)
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) drawn.push(`M${x} ${y}h1v1h-1z`);
  return { size: code.size, drawn: drawn.join("") };
}
