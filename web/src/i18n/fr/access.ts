import type { Catalogue } from "../en/index.ts";

/** What is read out only for those who want it. */
export const access: Catalogue["access"] = {
  readSignals: "Lire à voix haute les mains levées et les réactions",
  reactions: (count) => `${count} réactions`,
};
