import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { budget } from "./build/budget.ts";
import { compress } from "./build/compress.ts";
import { effectFiles, effectPaths } from "./build/effect_files.ts";
import { elements } from "./build/elements.ts";

export default defineConfig({
  base: "/",
  // no plugin: Vite's own compiler turns JSX into calls of preact/jsx-runtime (tsconfig.json)
  plugins: [
    effectFiles(fileURLToPath(new URL("node_modules", import.meta.url))),
    elements(["tertulia-meet", "openvidu-meet"]),
    budget(),
    compress(),
  ],
  define: { EFFECT_PATHS: JSON.stringify(effectPaths()) },
  build: {
    outDir: "../server/src/tertulia/web_dist",
    emptyOutDir: true,
    target: "es2022",
    // a data: address in a style sheet would need a hole in the content security policy
    assetsInlineLimit: 0,
    // the polyfill would be an inline script in some setups; every browser with WebRTC we support preloads modules
    modulePreload: { polyfill: false },
    // neither is loaded with the form: livekit-client comes after it, Swagger UI is another page
    chunkSizeWarningLimit: 1700,
    // the API's reference is a page of its own: nothing of it is loaded in a meeting
    rolldownOptions: { input: ["index.html", "reference.html"] },
  },
  // scripts of threads of their own: that of a worker may compile WebAssembly, so the server has to know them
  worker: { rolldownOptions: { output: { entryFileNames: "assets/wasm/[name]-[hash].js" } } },
});
