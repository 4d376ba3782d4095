import { DataStreamError, DataStreamErrorReason } from "livekit-client";

/** What of a byte stream concerns the chat. */
export interface FileReader extends AsyncIterable<Uint8Array> {
  readonly info: { readonly name: string; readonly size?: number | undefined };
}

/** The chunks of a stream to its very end: a chunk that nobody takes would wait in memory. */
export async function* toTheEnd<T>(reader: AsyncIterable<T>): AsyncGenerator<T> {
  for (;;) {
    try {
      for await (const chunk of reader) yield chunk;
      return;
    } catch (error) {
      // it is longer than its sender said, and goes on
      if (!(error instanceof DataStreamError && error.reason === DataStreamErrorReason.LengthExceeded)) throw error;
    }
  }
}

/** Reads what nobody wants. */
export async function drain(reader: AsyncIterable<unknown>): Promise<null> {
  try {
    for await (const _ of toTheEnd(reader));
  } catch {
    // it has ended, in whatever way
  }
  return null;
}
