import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { MeetEvents, MeetProperties, TertuliaMeetElement } from "./dist/types.js";

type Attribute =
  | "room-url"
  | "recording-url"
  | "participant-name"
  | "leave-redirect-url"
  | "show-only-recordings"
  | "show-recording"
  | "theme"
  | "camera"
  | "microphone"
  | "skip-prejoin"
  | "layout"
  | "hide";

/** React 19 sets properties, and listens to what `on` and an event's name say: `onmeetingJoined`. */
type Props = { [Name in Attribute]?: string | boolean } & Partial<Omit<MeetProperties, "lang">> & {
    [Name in keyof MeetEvents as Name extends "error" ? never : `on${Name}`]?: (
      event: CustomEvent<MeetEvents[Name]>,
    ) => void;
  };

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "tertulia-meet": DetailedHTMLProps<HTMLAttributes<TertuliaMeetElement>, TertuliaMeetElement> & Props;
    }
  }
}
