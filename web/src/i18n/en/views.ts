/** The ways to look at a meeting, and its connection. */
export const views = {
  moveSelf: "Move my picture",
  stop: "Stop",
  pip: "Picture in picture",
  back: "Back",
  connection: {
    title: "Connection",
    own: { good: "Your connection is good.", weak: "Your connection is weak.", lost: "Your connection is lost." },
    tile: { weak: "Weak connection", lost: "Connection lost" },
    paused: "Pictures are paused so that sound goes on.",
    pausedTile: "Paused so that sound goes on",
    save: "Save data",
    saving: "Saving data",
    saveData: { all: "All pictures", pinned: "Only pinned pictures", sound: "Only sound" },
    numbers: "Numbers",
    columns: {
      track: "Track",
      kbps: "kbit/s",
      loss: "Loss",
      roundTrip: "Round trip",
      size: "Size",
      fps: "Pictures/s",
      codec: "Codec",
      path: "Path",
    },
    sources: {
      microphone: "microphone",
      camera: "camera",
      screen_share: "screen",
      screen_share_audio: "screen sound",
    },
  },
};
