/**
 * Makes the segmentation model that tasks-vision can load of the one that Google publishes on npm: the same weights,
 * with the metadata that says how a picture becomes the network's input (`TFLITE_METADATA`, metadata_schema.fbs of
 * tflite-support). The network takes RGB between 0 and 1.
 */
export function withInputMetadata(model: Uint8Array): Uint8Array {
  const old = new DataView(model.buffer, model.byteOffset, model.byteLength);
  if (ascii(model.subarray(4, 8)) !== "TFL3") throw new Error("the segmentation model is not a TensorFlow Lite file");
  const head = writeHead(old, 0);
  // a first pass tells how long the head is: offsets in a flatbuffer only go forward, so the old file comes after it
  const start = roundUp(head.length, ALIGNMENT);
  const made = new Uint8Array(start + model.byteLength);
  made.set(writeHead(old, start));
  made.set(model, start);
  return made;
}

/** Weights are read with vector instructions. */
const ALIGNMENT = 16;

/** Fields of `Model` in TensorFlow Lite's schema.fbs, by their number. */
const MODEL = { version: 0, buffers: 4, metadata: 6, count: 8 } as const;

function writeHead(old: DataView, start: number): Uint8Array {
  const writer = new FlatbufferWriter();
  const root = old.getUint32(0, true);
  const oldFields = Array.from({ length: MODEL.count }, (_, number) => fieldAt(old, root, number));
  const [rootSlot = 0] = writer.reserve(1);
  writer.text("TFL3");
  const { at, slots } = writer.table(MODEL.count);
  writer.refer(rootSlot, at);
  oldFields.forEach((position, number) => {
    const slot = slots[number] as number;
    if (number === MODEL.version) writer.set(slot, position ? old.getUint32(position, true) : 0);
    else if (position) writer.refer(slot, start + targetAt(old, position));
  });
  const buffers = elementsAt(old, oldFields[MODEL.buffers] ?? 0);
  const added = writer.vector(slots[MODEL.buffers] as number, buffers, start);
  const bufferTable = writer.table(1);
  writer.refer(added, bufferTable.at);
  const metadata = writer.vector(
    slots[MODEL.metadata] as number,
    elementsAt(old, oldFields[MODEL.metadata] ?? 0),
    start,
  );
  const entry = writer.table(2);
  writer.refer(metadata, entry.at);
  writer.string(entry.slots[0] as number, "TFLITE_METADATA");
  writer.set(entry.slots[1] as number, buffers.length);
  writer.bytes(bufferTable.slots[0] as number, modelMetadata());
  return writer.written();
}

/** `ModelMetadata` for one image input of which each channel is divided by 255, and one output. */
function modelMetadata(): Uint8Array {
  const writer = new FlatbufferWriter();
  const [rootSlot = 0] = writer.reserve(1);
  writer.text("M001");
  const child = (slot: number, fields: number) => {
    const { at, slots } = writer.table(fields);
    writer.refer(slot, at);
    return slots as [number, number, number, number, number];
  };
  const only = (slot: number, fields: number) => child(writer.vector(slot, [], 0), fields);
  const model = child(rootSlot, 4);
  const subgraph = only(model[3], 4);
  const input = only(subgraph[2], 5);
  only(subgraph[3], 5);
  const content = child(input[3], 2);
  writer.set(content[0], CONTENT_IMAGE);
  writer.set(child(content[1], 1)[0], COLOR_RGB);
  const unit = only(input[4], 2);
  writer.set(unit[0], UNIT_NORMALIZATION);
  const normalization = child(unit[1], 2);
  writer.floats(normalization[0], [0]);
  writer.floats(normalization[1], [255]);
  return writer.written();
}

const CONTENT_IMAGE = 2;
const COLOR_RGB = 1;
const UNIT_NORMALIZATION = 1;

/** Writes tables from front to back; a slot is the position of a field, filled in when its target is known. */
class FlatbufferWriter {
  readonly #view = new DataView(new ArrayBuffer(64 * 1024));
  #end = 0;

  reserve(count: number): number[] {
    this.#end = roundUp(this.#end, 4);
    const slots = Array.from({ length: count }, (_, i) => this.#end + 4 * i);
    this.#end += 4 * count;
    return slots;
  }

  /** A table in which each field has four bytes. A field that is not set reads as its default. */
  table(fields: number): { at: number; slots: number[] } {
    const vtable = roundUp(this.#end, 4);
    this.#end = vtable + 4 + 2 * fields;
    const [at = 0, ...slots] = this.reserve(1 + fields);
    this.#view.setUint16(vtable, 4 + 2 * fields, true);
    this.#view.setUint16(vtable + 2, 4 * (1 + fields), true);
    this.#view.setInt32(at, at - vtable, true);
    this.#vtables.set(at, vtable);
    for (const slot of slots) this.#owners.set(slot, at);
    return { at, slots };
  }

  readonly #vtables = new Map<number, number>();
  readonly #owners = new Map<number, number>();

  set(slot: number, value: number): void {
    this.#view.setUint32(slot, value, true);
    this.#mark(slot);
  }

  refer(slot: number, target: number): void {
    this.set(slot, target - slot);
  }

  #mark(slot: number): void {
    const at = this.#owners.get(slot);
    if (at === undefined) return;
    const number = (slot - at) / 4 - 1;
    this.#view.setUint16((this.#vtables.get(at) ?? 0) + 4 + 2 * number, slot - at, true);
  }

  /** A vector of tables: those of the old file, and one more. @returns the new one's slot */
  vector(slot: number, old: readonly number[], start: number): number {
    const [length = 0, ...slots] = this.reserve(2 + old.length);
    this.refer(slot, length);
    this.#view.setUint32(length, old.length + 1, true);
    old.forEach((target, i) => void this.refer(slots[i] as number, start + target));
    return slots[old.length] as number;
  }

  floats(slot: number, values: readonly number[]): void {
    const [length = 0, ...slots] = this.reserve(1 + values.length);
    this.refer(slot, length);
    this.#view.setUint32(length, values.length, true);
    values.forEach((value, i) => void this.#view.setFloat32(slots[i] as number, value, true));
  }

  string(slot: number, value: string): void {
    this.bytes(slot, new TextEncoder().encode(`${value}\0`), value.length);
  }

  bytes(slot: number, value: Uint8Array, length = value.length): void {
    // what is in the vector is aligned, its length stands before
    this.#end = roundUp(this.#end + 4, ALIGNMENT) - 4;
    const [at = 0] = this.reserve(1);
    this.refer(slot, at);
    this.#view.setUint32(at, length, true);
    new Uint8Array(this.#view.buffer).set(value, this.#end);
    this.#end += value.length;
  }

  text(value: string): void {
    new Uint8Array(this.#view.buffer).set(new TextEncoder().encode(value), this.#end);
    this.#end += value.length;
  }

  written(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.#end);
  }
}

/** @returns the position of a table's field, 0 where it is not set. */
function fieldAt(view: DataView, table: number, number: number): number {
  const vtable = table - view.getInt32(table, true);
  const offsetAt = 4 + 2 * number;
  const offset = offsetAt < view.getUint16(vtable, true) ? view.getUint16(vtable + offsetAt, true) : 0;
  return offset ? table + offset : 0;
}

function targetAt(view: DataView, position: number): number {
  return position + view.getUint32(position, true);
}

/** @returns the positions of the tables in a vector. */
function elementsAt(view: DataView, field: number): number[] {
  if (!field) return [];
  const vector = targetAt(view, field);
  return Array.from({ length: view.getUint32(vector, true) }, (_, i) => targetAt(view, vector + 4 + 4 * i));
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
