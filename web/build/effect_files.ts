import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "vite";
import { withInputMetadata } from "./segmentation_model.ts";

/** A file that the effects fetch when they are used, and the content that has been tried with the library's code. */
interface EffectFile {
  readonly package: string;
  readonly path: string;
  readonly sha256: string;
  readonly convert?: (content: Uint8Array) => Uint8Array;
}

/** Everything with WebAssembly is under this folder: the server lets its workers compile it, and nothing else. */
const FOLDER = "assets/wasm";

/**
 * Which versions belong together. A new version is a change of this table, after the tests of `test_backgrounds.py` and
 * `test_noise.py` have shown that it works. tasks-vision 1.0 and later send usage data to Google.
 */
export const EFFECT_FILES: Readonly<Record<string, readonly EffectFile[]>> = {
  "vision-0.10.35": [
    {
      package: "@mediapipe/tasks-vision@0.10.35",
      path: "wasm/vision_wasm_internal.js",
      sha256: "e7fd9858e8e8f221d9b96eddc11f8e077f263e0b7bbd79d3cbe882b134274f8c",
    },
    {
      package: "@mediapipe/tasks-vision@0.10.35",
      path: "wasm/vision_wasm_internal.wasm",
      sha256: "6a5c64584c2ab61c763b6e204afbdbc7ce1caf7f5216187322bca8df94f646bc",
    },
    {
      package: "@mediapipe/selfie_segmentation@0.1.1675465747",
      path: "selfie_segmentation.tflite",
      sha256: "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
      convert: withInputMetadata,
    },
  ],
  "rnnoise-0.4.1": [
    {
      package: "@sapphi-red/web-noise-suppressor@0.4.1",
      path: "dist/rnnoise_simd.wasm",
      sha256: "378fd17c294db15ee4e818ba5ef072242a21c8ad7445b483f7f46d7dc4f2c253",
    },
  ],
};

/** @returns where the effects fetch their files, by the name without its version. */
export function effectPaths(): Readonly<Record<string, string>> {
  const folders = Object.keys(EFFECT_FILES).map((folder) => [nameOf(folder), `/${FOLDER}/${folder}`]);
  return Object.fromEntries(folders) as Record<string, string>;
}

function nameOf(folder: string): string {
  return folder.replace(/-[\d.]+$/, "");
}

/** @returns whose the files of a folder are, and the licences that have to be where they are. */
export async function licenseOf(folder: string): Promise<string> {
  const notice = await readFile(new URL(`licenses/${nameOf(folder)}.txt`, import.meta.url), "utf8");
  // ours is the same
  const apache = await readFile(new URL("../../LICENSE", import.meta.url), "utf8");
  return notice.trimEnd().endsWith("The Apache License 2.0:") ? notice + apache : notice;
}

/** Copies the files of the effects into the bundle, each under the version of its library, with their licences. */
export function effectFiles(modules: string): Plugin {
  return {
    name: "effect-files",
    apply: "build",
    async generateBundle() {
      for (const [folder, files] of Object.entries(EFFECT_FILES))
        for (const file of files) {
          const name = file.path.slice(file.path.lastIndexOf("/") + 1);
          const source = await readChecked(modules, file);
          this.emitFile({ type: "asset", fileName: `${FOLDER}/${folder}/${name}`, source });
        }
      for (const folder of Object.keys(EFFECT_FILES)) {
        const source = await licenseOf(folder);
        this.emitFile({ type: "asset", fileName: `${FOLDER}/${folder}/LICENSE.txt`, source });
      }
    },
  };
}

/** @throws Error where what is installed is not what the table says: the library's code would load another's file. */
export async function readChecked(modules: string, file: EffectFile): Promise<Uint8Array> {
  const at = file.package.lastIndexOf("@");
  const [name, version] = [file.package.slice(0, at), file.package.slice(at + 1)];
  const installed = JSON.parse(await readFile(join(modules, name, "package.json"), "utf8")) as { version: string };
  if (installed.version !== version)
    throw new Error(`${name} ${installed.version} is installed, build/effect_files.ts has files of ${version}`);
  const content = await readFile(join(modules, name, file.path));
  if (createHash("sha256").update(content).digest("hex") !== file.sha256)
    throw new Error(`${name}/${file.path} is not that of version ${version}`);
  return file.convert ? file.convert(content) : content;
}
