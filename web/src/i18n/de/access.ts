import type { Catalogue } from "../en/index.ts";

/** What is read out only for those who want it. */
export const access: Catalogue["access"] = {
  readSignals: "Gehobene Hände und Reaktionen vorlesen",
  reactions: (count) => `${count} Reaktionen`,
};
