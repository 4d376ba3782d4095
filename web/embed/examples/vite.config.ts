import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const isCustomElement = (tag: string) => tag === "tertulia-meet";

/** Builds the example in the folder that is named on the command line, with the element as it is now. */
export default defineConfig({
  plugins: [vue({ template: { compilerOptions: { isCustomElement } } })],
  resolve: { alias: { "tertulia-meet": here("../src/tertulia-meet.ts") } },
});
