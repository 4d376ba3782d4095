/** Compiles the WebAssembly at the address that it is told. */
addEventListener("message", ({ data }: MessageEvent<string>) => {
  WebAssembly.compileStreaming(fetch(data)).then(
    (module) => postMessage(module),
    (error: unknown) => postMessage(String(error)),
  );
});
