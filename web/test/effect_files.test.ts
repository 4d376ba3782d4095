import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { EFFECT_FILES, effectPaths, licenseOf, readChecked } from "../build/effect_files.ts";
import { withInputMetadata } from "../build/segmentation_model.ts";

const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const ALL = Object.values(EFFECT_FILES).flat();
const [loader] = ALL;

test.each(ALL.map((file) => [file.path, file] as const))("%s is that of its version", async (_path, file) => {
  expect((await readChecked(MODULES, file)).length).toBeGreaterThan(1000);
});

test("the versions are those that the page is built with, and in the addresses", async () => {
  const { dependencies } = JSON.parse(await readFile(join(MODULES, "../package.json"), "utf8"));
  for (const file of ALL) {
    const at = file.package.lastIndexOf("@");
    expect(dependencies[file.package.slice(0, at)]).toBe(file.package.slice(at + 1));
  }
  expect(effectPaths().vision).toBe(`/assets/wasm/vision-${dependencies["@mediapipe/tasks-vision"]}`);
});

test("a build fails with files of another version than the library's code", async () => {
  if (!loader) throw new Error("no files");
  const modules = await mkdtemp(join(tmpdir(), "modules-"));
  const folder = join(modules, "@mediapipe/tasks-vision");
  for (const name of ["package.json", loader.path])
    await cp(join(MODULES, "@mediapipe/tasks-vision", name), join(folder, name));
  await readChecked(modules, loader);
  await writeFile(join(folder, loader.path), "of another version");
  await expect(readChecked(modules, loader)).rejects.toThrow("is not that of version 0.10.35");
  await writeFile(join(folder, "package.json"), '{"version": "1.1.0"}');
  await expect(readChecked(modules, loader)).rejects.toThrow("1.1.0 is installed");
});

test.each(Object.entries(EFFECT_FILES))("the licences of %s are delivered with its files", async (folder, files) => {
  const license = await licenseOf(folder);
  for (const file of files) {
    expect(license).toContain(file.path.slice(file.path.lastIndexOf("/") + 1));
    expect(license).toContain(file.package.slice(0, file.package.lastIndexOf("@")));
  }
  for (const text of folder.startsWith("vision") ? ["END OF TERMS AND CONDITIONS"] : ["Xiph.Org", "MIT License"])
    expect(license).toContain(text);
});

test("the library of the page reports to nobody", async () => {
  const bundle = await readFile(join(MODULES, "@mediapipe/tasks-vision/vision_bundle.mjs"), "utf8");
  expect(bundle.match(/https?:\/\/[\w.]*googleapis[^"]*/g) ?? []).toEqual([]);
});

test("the model keeps its content, and says how pictures are to be given to it", async () => {
  const original = await readFile(join(MODULES, "@mediapipe/selfie_segmentation/selfie_segmentation.tflite"));
  const made = withInputMetadata(original);
  expect(Buffer.from(made.subarray(made.length - original.length)).equals(original)).toBe(true);
  const head = Buffer.from(made.subarray(0, made.length - original.length)).toString("latin1");
  expect(head).toContain("TFLITE_METADATA");
  expect(head).toContain("M001");
  expect((made.length - original.length) % 16).toBe(0);
  expect(() => withInputMetadata(new Uint8Array(64))).toThrow("not a TensorFlow Lite file");
});
