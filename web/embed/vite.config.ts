import { defineConfig } from "vite";

/** The module of the npm package: bundlers of others take it from here. */
export default defineConfig({
  build: {
    lib: { entry: "src/tertulia-meet.ts", formats: ["es"], fileName: "tertulia-meet" },
    target: "es2022",
  },
});
