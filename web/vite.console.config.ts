import { defineConfig } from "vite";
import { compress } from "./build/compress.ts";

/** The console is built apart from the meeting: no chunk is shared, so neither makes the other larger. */
export default defineConfig({
  base: "/",
  publicDir: false,
  plugins: [compress()],
  build: {
    outDir: "../server/src/tertulia/web_dist",
    emptyOutDir: false,
    assetsDir: "assets/console",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // livekit-client, which only the connection test loads
    chunkSizeWarningLimit: 1700,
    rolldownOptions: { input: ["console.html"] },
  },
});
