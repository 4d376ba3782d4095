import type { Catalogue } from "../en/index.ts";

/** What is read out only for those who want it. */
export const access: Catalogue["access"] = {
  readSignals: "قراءة الأيدي المرفوعة والتفاعلات بصوت عالٍ",
  reactions: (count) => `عدد التفاعلات: ${count}`,
};
