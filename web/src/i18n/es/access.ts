import type { Catalogue } from "../en/index.ts";

/** What is read out only for those who want it. */
export const access: Catalogue["access"] = {
  readSignals: "Leer en voz alta las manos levantadas y las reacciones",
  reactions: (count) => `${count} reacciones`,
};
