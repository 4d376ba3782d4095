import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { build, type Plugin } from "vite";

/** What an element may cost the page that embeds it. */
const GZIP_MAX_BYTES = 5000;

/** The elements for other sites' pages, each a script of its own under an address that stays. */
export function elements(names: readonly string[]): Plugin {
  let root = "";
  return {
    name: "elements",
    apply: "build",
    configResolved(config) {
      root = config.root;
    },
    async generateBundle() {
      for (const name of names) {
        const source = await script(resolve(root, "embed", "src", `${name}.ts`));
        const { length } = await promisify(gzip)(source, { level: 9 });
        if (length > GZIP_MAX_BYTES) this.error(`${name}.js has ${length} bytes (gzip), ${GZIP_MAX_BYTES} are allowed`);
        this.emitFile({ type: "asset", fileName: join("meet", "v1", `${name}.js`), source });
      }
    },
  };
}

/** A script that works with and without `type="module"`. */
async function script(entry: string): Promise<string> {
  const lib = { entry, formats: ["iife" as const], name: "tertuliaMeet", fileName: "element" };
  const built = await build({
    configFile: false,
    logLevel: "warn",
    build: { lib, write: false, target: "es2022", minify: true },
  });
  const [{ output } = { output: [] }] = Array.isArray(built) ? built : [];
  const [chunk] = output;
  if (chunk?.type !== "chunk") throw new Error(`${entry} was not built`);
  return chunk.code;
}
