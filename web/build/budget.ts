import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** In bytes of JavaScript, gzip. */
const FORM_MAX_BYTES = 40_000;
const MEETING_MAX_BYTES = 200_000;
const LANGUAGE_MAX_BYTES = 8_000;

const FORM = "index.html";
/** What is loaded while the form is shown, before anything is opened in the meeting. */
const MEETING = ["src/session/meeting.ts", "src/views/MeetingView.tsx"];
const LANGUAGE = /src\/i18n\/[a-z]+\/index\.ts$/;

/**
 * Fails a build that is too large: the script of the form, all that a page loads from the opening of the link until it
 * is in the meeting (with the largest language), and each language. A view that is loaded when it is opened
 * (src/views/lazy.tsx) is in none of them.
 */
export function budget(): Plugin {
  return {
    name: "budget",
    apply: "build",
    writeBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
      const languages = chunks.filter(({ facadeModuleId }) => LANGUAGE.test(facadeModuleId ?? ""));
      const language = Math.max(...languages.map(sizeOf));
      const form = withImports(chunks, [FORM]);
      const meeting = withImports(chunks, [FORM, ...MEETING]);
      const rows = [
        ["form", sum(form), FORM_MAX_BYTES],
        ["meeting, with a language", sum(meeting) + language, MEETING_MAX_BYTES],
        ["largest language", language, LANGUAGE_MAX_BYTES],
      ] as const;
      for (const [what, bytes, most] of rows) {
        const line = `JavaScript, gzip: ${what}: ${bytes} of ${most} bytes`;
        if (!(bytes <= most)) this.error(line);
        this.info(line);
      }
    },
  };
}

/** The chunks of these modules, and all that they import at once. */
function withImports(chunks: readonly Rolldown.OutputChunk[], modules: readonly string[]): Set<Rolldown.OutputChunk> {
  const found = new Set<Rolldown.OutputChunk>();
  function add(chunk: Rolldown.OutputChunk | undefined, name: string): void {
    if (!chunk) throw new Error(`budget: the build has no chunk ${name}`);
    if (found.has(chunk)) return;
    found.add(chunk);
    for (const file of chunk.imports)
      add(
        chunks.find(({ fileName }) => fileName === file),
        file,
      );
  }
  for (const module of modules)
    add(
      chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(module)),
      module,
    );
  return found;
}

function sizeOf({ code }: Rolldown.OutputChunk): number {
  return gzipSync(code, { level: 9 }).length;
}

function sum(chunks: Iterable<Rolldown.OutputChunk>): number {
  return [...chunks].reduce((total, chunk) => total + sizeOf(chunk), 0);
}
