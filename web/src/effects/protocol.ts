/** What stands behind the user. The picture belongs to the worker once it is sent. */
export type Backdrop =
  | { readonly kind: "blur"; readonly strength: "light" | "strong" }
  | { readonly kind: "picture"; readonly picture: ImageBitmap };

/** Messages to the worker. A stream or a frame is that of the newest `stream` number; older ones are dropped. */
export type ToWorker =
  | { readonly type: "load"; readonly folder: string }
  | { readonly type: "backdrop"; readonly backdrop: Backdrop }
  | {
      readonly type: "stream";
      readonly stream: number;
      readonly readable: ReadableStream<VideoFrame>;
      readonly writable: WritableStream<VideoFrame>;
    }
  | { readonly type: "frame"; readonly stream: number; readonly picture: ImageBitmap }
  | { readonly type: "stop"; readonly stream: number };

/** How much was done in a stretch of time. */
export interface Work {
  readonly frames: number;
  readonly busyMs: number;
  readonly elapsedMs: number;
}

export type FromWorker =
  | { readonly type: "loaded" }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "frame"; readonly stream: number; readonly picture: ImageBitmap }
  | { readonly type: "work"; readonly work: Work };
