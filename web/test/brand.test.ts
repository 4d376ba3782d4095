import { expect, test } from "vitest";
import { apiClient } from "../src/api/client.ts";
import { loadBrand, PLAIN } from "../src/session/brand.ts";
import { contrastOf, textOn } from "../src/session/contrast.ts";

const shown = async () => true;

function loaded(answer: () => Promise<Response>, canShow: () => Promise<boolean> = shown, waitMs?: number) {
  const client = apiClient("http://x", async () => answer());
  return loadBrand(client, canShow, waitMs);
}

test("name, logo and colours of an installation", async () => {
  const look = { name: "Example AG", logo: "data:image/png;base64,eA==", accentLight: "#7a3b00" };
  expect(await loaded(async () => Response.json(look))).toEqual({
    name: "Example AG",
    logo: look.logo,
    properties: {
      "--brand-light": "#7a3b00",
      "--brand-light-hover": "color-mix(in srgb, #7a3b00 80%, #000000)",
      "--on-brand-light": "#ffffff",
    },
  });
});

test("text on every accent can be read", () => {
  for (let red = 0; red < 256; red += 15)
    for (let green = 0; green < 256; green += 15)
      for (let blue = 0; blue < 256; blue += 15) {
        const colour = `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
        expect(contrastOf(colour, textOn(colour))).toBeGreaterThanOrEqual(4.5);
      }
});

test("a picture that cannot be drawn, and a colour that is none, are left out", async () => {
  const look = { name: "Example AG", logo: "data:image/png;base64,eA==", accentDark: "red; --x: url(y)" };
  const brand = await loaded(
    async () => Response.json(look),
    async () => false,
  );
  expect(brand).toEqual({ name: "Example AG", logo: "", properties: {} });
});

test.each([
  ["nothing is set", async () => Response.json({})],
  ["an older server", async () => Response.json({ code: "path_not_found" }, { status: 404 })],
  ["no JSON", async () => new Response("<html>")],
  [
    "no network",
    async () => {
      throw new TypeError("failed");
    },
  ],
])("%s: as Tertulia", async (_what, answer) => {
  expect(await loaded(answer)).toEqual(PLAIN);
});

test("a server that does not answer holds up the page for a moment only", async () => {
  expect(await loaded(() => new Promise(() => {}), shown, 10)).toEqual(PLAIN);
});

test("nor does a picture that is never drawn", async () => {
  const look = { logo: "data:image/png;base64,eA==" };
  expect(
    await loaded(
      async () => Response.json(look),
      () => new Promise(() => {}),
      10,
    ),
  ).toEqual(PLAIN);
});
