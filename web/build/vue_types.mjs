// `node build/vue_types.mjs -p <folder>`: type-checks Vue files. vue-tsc is built upon the compiler of TypeScript 5,
// which 7 no longer has: that of build/api-types serves here too.
import { createRequire } from "node:module";

const compiler = createRequire(new URL("api-types/package.json", import.meta.url)).resolve("typescript/lib/tsc");
createRequire(import.meta.url)("vue-tsc").run(compiler);
