import { Icon, type IconName } from "../../components/Icon.tsx";

const PATHS = {
  rooms:
    "M5 20.500V5a1.500 1.500 0 0 1 1.500-1.500h8A1.500 1.500 0 0 1 16 5v15.500M3 20.500h18M12.500 12v.500M16 8h2a1 1 0 0 1 1 1v11.500",
  insight: "M4 4v16h16M7.500 15.500l4-5 3 2.500 4.500-6.500",
  health: "M3.500 12h4l2-5.500 4 11 2.500-5.500h4.500",
  settings:
    "M12 15.200a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400ZM12 3v2.500M12 18.500V21M4.200 7.500l2.200 1.300M17.600 15.200l2.200 1.300M4.200 16.500l2.200-1.300M17.600 8.800l2.200-1.300",
  add: "M12 5v14M5 12h14",
  search: "M11 17.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13Zm4.700-1.800 4.800 4.800",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  copy: "M9 9V5.500A1.500 1.500 0 0 1 10.500 4h8A1.500 1.500 0 0 1 20 5.500v8a1.500 1.500 0 0 1-1.500 1.500H15M5.500 9h8a1.500 1.500 0 0 1 1.500 1.500v8a1.500 1.500 0 0 1-1.500 1.500h-8A1.500 1.500 0 0 1 4 18.500v-8A1.500 1.500 0 0 1 5.500 9Z",
  qr: "M4 4h6v6H4ZM14 4h6v6h-6ZM4 14h6v6H4ZM14 14h2.500v2.500M20 14v2.500M14 20h2.500M19.500 20h.500",
  open: "M14 4h6v6M20 4l-9 9M18 14v4.500a1.500 1.500 0 0 1-1.500 1.500h-11A1.500 1.500 0 0 1 4 18.500v-11A1.500 1.500 0 0 1 5.500 6H10",
  lock: "M6.500 11h11a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1ZM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  logout: "M10 4H6.500A1.500 1.500 0 0 0 5 5.500v13A1.500 1.500 0 0 0 6.500 20H10M9.500 12H20m-4-4 4 4-4 4",
  stop: "M7 7h10v10H7Z",
  rotate: "M20 12a8 8 0 1 1-2.300-5.600M20 4v5h-5",
  repair:
    "M14.500 6.500a4.500 4.500 0 0 0-6 5.500L4 16.500 7.500 20l4.500-4.500a4.500 4.500 0 0 0 5.500-6L14.500 12.500 11.500 12l-.5-3Z",
  docs: "M6.500 4H19v16H6.500A1.500 1.500 0 0 1 5 18.500v-13A1.500 1.500 0 0 1 6.500 4ZM5 18.500A1.500 1.500 0 0 1 6.500 17H19M9 8h6",
  back: "M19 12H5m6-6-6 6 6 6",
  remove: "M10 12a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM3.500 20a6.500 6.500 0 0 1 13 0M16 11h5.500",
  works: "m5 12.500 4.500 4.500L19 7",
  warn: "M12 4 2.500 20h19ZM12 10v4.500M12 17.300v.100",
} as const;

const DIRECTED: ReadonlySet<string> = new Set(["back", "logout"]);

export type ConsoleIconName = keyof typeof PATHS;

/** A decorative icon of the console's own, or one of the meeting's. */
export function ConsoleIcon({ name }: { readonly name: ConsoleIconName | IconName }) {
  if (!Object.hasOwn(PATHS, name)) return <Icon name={name as IconName} />;
  return (
    <svg class={DIRECTED.has(name) ? "icon directed" : "icon"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name as ConsoleIconName]} />
    </svg>
  );
}
