import type { BackgroundChoice } from "../../session/background.ts";

/** Backgrounds and noise suppression. */
export const effects = {
  open: "Background and noise",
  background: "Background",
  backgrounds: {
    none: "None",
    light: "Slight blur",
    strong: "Strong blur",
    dawn: "Dawn",
    sea: "Sea",
    forest: "Forest",
    night: "Night",
    own: "Own picture",
  } satisfies Record<BackgroundChoice, string>,
  choosePicture: "Choose a picture …",
  pictureKept: "Your picture stays on this device.",
  notAPicture: "The browser cannot show this file as a picture.",
  unsupported: "This browser cannot change the background.",
  loading: "Loading …",
  noise: "Noise suppression",
  noiseLevels: { off: "Off", browser: "Standard", strong: "Strong" },
};

export const effectNotices = {
  background_slow: "This device is too slow for the background.",
  background_failed: "The background stopped, and with it your picture.",
  background_refused: "This room does not allow backgrounds. Yours is off.",
  noise_failed: "Strong noise suppression does not work here. The standard one is used.",
};

export const effectActions = {
  background_slow: "Remove background",
  background_failed: "Remove background",
  background_refused: "Stop camera",
  noise_failed: "Choose another",
};
