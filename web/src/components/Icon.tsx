const PATHS = {
  microphone:
    "M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15Zm6.5-3.5a6.5 6.5 0 0 1-13 0M12 18v3.5",
  microphoneOff:
    "m4 3 16 18M15.5 10V6.5a3.5 3.5 0 0 0-6.6-1.6M8.5 9v2.5a3.5 3.5 0 0 0 5 3.2M18.5 11.5a6.4 6.4 0 0 1-.7 3M5.5 11.5a6.5 6.5 0 0 0 9.5 5.8M12 18v3.5",
  camera: "M3.5 7.5a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2Zm12 3 5-3v9l-5-3",
  cameraOff:
    "m3 3 18 18M9 5.5h4.500a2 2 0 0 1 2 2v4.500m0 4.500a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-9a2 2 0 0 1 1.500-1.900M15.500 10.500l5-3v9l-1.500-.9",
  screen:
    "M3.500 6.500a2 2 0 0 1 2-2h13a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2ZM8.500 20h7M12 13.500V8m-2.500 2.300L12 7.800l2.500 2.500",
  chat: "M4 6.500a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-6.500l-4.500 4v-4H6a2 2 0 0 1-2-2Z",
  devices: "M4 7h9m4 0h3M4 12h3m4 0h9M4 17h10m4 0h2M15 5v4M9 10v4M16 15v4",
  help: "M9.300 9.300a2.800 2.800 0 1 1 4 2.500c-.9.5-1.300 1-1.300 2.200M12 17.300v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  record: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-5.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
  recordings: "M4 6.500h11M4 12h7M4 17.500h7M15 12.500v7l6-3.500Z",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.300 14.500a4.500 4.500 0 0 0 7.400 0M9 9.500v.3M15 9.500v.3",
  more: "M6 12h.1M12 12h.1M18 12h.1",
  network_excellent: "M6 19v-4M12 19V10M18 19V5",
  network_good: "M6 19v-4M12 19V10M18 19v-1",
  network_poor: "M6 19v-4M12 19v-1M18 19v-1",
  network_lost: "M6 19v-1M12 19v-1M18 19v-1M8 5l6 6M14 5l-6 6",
  play: "M7 4.500v15l12.500-7.500Z",
  download: "M12 4v11.500m-5-5 5 5 5-5M4.500 20h15",
  delete: "M4.500 6.500h15M9.500 6.500v-2.500h5v2.500M6.500 6.500l1 13.500h9l1-13.500M10.500 10.500v6m3-6v6",
  hand: "M8 12.500V5.500a1.500 1.500 0 0 1 3 0V11m0-6.500V4a1.500 1.500 0 0 1 3 0v7m0-5.500a1.500 1.500 0 0 1 3 0V12m0-3.500a1.500 1.500 0 0 1 3 0V15a6.500 6.500 0 0 1-6.500 6.500h-1.500c-2 0-3.300-.8-4.500-2.500L4.300 15.300a1.500 1.500 0 0 1 2.500-1.700L8 15",
  leave:
    "M3 13.500c0-4 4.500-6 9-6s9 2 9 6v1.300a1 1 0 0 1-1.200 1l-3.300-.7a1 1 0 0 1-.8-1v-2a11 11 0 0 0-7.400 0v2a1 1 0 0 1-.8 1l-3.300.7a1 1 0 0 1-1.200-1Z",
  people:
    "M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7Zm-6 8a6 6 0 0 1 12 0M16 4.800a3.500 3.500 0 0 1 0 6.400M18 14a6 6 0 0 1 3 5.500",
  attach:
    "m19.500 11.500-7.700 7.700a5 5 0 0 1-7-7l8-8a3.300 3.300 0 0 1 4.700 4.700l-7.900 7.900a1.700 1.700 0 0 1-2.400-2.400l7-7",
  copy: "M8.500 8.500h11v11h-11ZM15.500 8.500v-4h-11v11h4",
  send: "M4.500 12 4 4.500l17 7.500-17 7.500.500-7.500Zm0 0H12",
  pin: "M9 4h6M10 4v6l-3 3.500v1h10v-1L14 10V4M12 14.500V20",
  grid: "M4 5h7v6H4ZM13 5h7v6h-7ZM4 13h7v6H4ZM13 13h7v6h-7Z",
  speaker: "M4 5h16v9H4ZM4 17h4v3H4ZM10 17h4v3h-4ZM16 17h4v3h-4Z",
  previous: "m15 5-7 7 7 7",
  next: "m9 5 7 7-7 7",
  expand: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  shrink: "M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5",
  close: "M6 6l12 12M18 6 6 18",
  sound: "M4 9.500v5h3.500l4.500 4v-13l-4.500 4Zm12-.5a4 4 0 0 1 0 6m2.500-8.500a7.500 7.500 0 0 1 0 11",
} as const;

/** Those that point along the line of text. */
const DIRECTED: ReadonlySet<string> = new Set(["send", "recordings", "previous", "next"]);

export type IconName = keyof typeof PATHS;

/** A decorative icon beside text or in a labelled button. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={DIRECTED.has(name) ? "icon directed" : "icon"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
