import type { BackgroundChoice, BackgroundCode } from "../session/background.ts";
import { BackgroundEngine, type EngineListener } from "./background_engine.ts";
import { pictureOf } from "./pictures.ts";
import type { Backdrop } from "./protocol.ts";

/** Everything that a background needs, in one chunk. */
export const backgroundCode: BackgroundCode = {
  open: (listener: EngineListener) => new BackgroundEngine(listener),
  backdropOf: async (choice: Exclude<BackgroundChoice, "none">): Promise<Backdrop> => {
    if (choice === "light" || choice === "strong") return { kind: "blur", strength: choice };
    const picture = await pictureOf(choice);
    if (!picture) throw new Error(`there is no picture ${choice}`);
    return { kind: "picture", picture };
  },
};
