import type { RecordingStatus } from "../api/recordings.ts";
import type { DeviceKind } from "../session/devices.ts";
import { errors } from "./en_errors.ts";
import { listOf } from "./lists.ts";

export type { ErrorText } from "./en_errors.ts";

function several(names: readonly string[]): string {
  return listOf("en", names, (count) => `${count} others`);
}

/** Every text that the user sees or a screen reader reads out. */
export const en = {
  errors,
  failedPart: {
    title: (part: string) => `${part}: this part of the page failed.`,
    advice: "Sound and pictures go on.",
    retry: "Show it again",
  },
  page: "The meeting page",
  appName: "Tertulia",
  loading: "Opening the meeting …",
  prejoin: {
    title: "Join the meeting",
    titleOf: (room: string) => `Join “${room}”`,
    nameLabel: "Your name",
    namePlaceholder: "How the others see you",
    nameMissing: "Please enter your name.",
    watchOnly: "With this link you watch and listen. The others do not see or hear you.",
    noPicture: "Your camera is off",
    previewLabel: "Your own picture",
    join: "Join",
    joining: "Joining …",
  },
  device: {
    camera: "Camera",
    microphone: "Microphone",
    defaultChoice: "Standard",
    level: "Microphone level",
  },
  controls: {
    label: "Meeting controls",
    microphoneOn: "Mute",
    microphoneOff: "Unmute",
    cameraOn: "Stop camera",
    cameraOff: "Start camera",
    shareOn: "Stop sharing",
    shareOff: "Share screen",
    handOn: "Lower hand",
    handOff: "Raise hand",
    reactions: "Reactions",
    chat: "Chat",
    chatUnread: (count: number) => `Chat, ${count} unread`,
    devices: "Devices",
    help: "Help",
    recordOn: "Stop recording",
    recordOff: "Record",
    recordBusy: "One moment …",
    recordings: "Recordings",
    leave: "Leave",
    startAudio: "Turn on sound",
    startVideo: "Show pictures",
    retryDevice: "Try again",
    dismiss: "Dismiss",
    close: "Close",
  },
  meeting: {
    participants: "People in the meeting",
    count: (count: number) => (count === 1 ? "1 person here" : `${count} people here`),
    alone: "Nobody else is here yet.",
    nobodyPublishes: "Waiting for a participant to speak …",
    you: (name: string) => `${name} (you)`,
    screenOf: (name: string) => `${name}’s screen`,
    ownScreen: "Your screen",
    muted: "muted",
    speaking: "speaking",
    recording: "Recording",
    watching: "You are watching",
    locked: "Locked",
    reconnecting: "Connection lost. Reconnecting …",
    blockedSound: "The browser holds the sound back.",
    blockedVideo: "The browser holds the pictures back.",
  },
  announce: {
    joined: (names: readonly string[]) => `${several(names)} joined`,
    left: (names: readonly string[]) => `${several(names)} left`,
    inMeeting: "You are in the meeting",
    recordingOn: "This meeting is being recorded",
    recordingOff: "The recording has stopped",
    recordingReady: "The recording is ready to play",
    recordingDeleted: "The recording is deleted",
    reconnecting: "Connection lost, reconnecting",
    reconnected: "Connected again",
    returning: "The connection was lost. The page comes back by itself when the network is there again.",
    message: (name: string, message: string) => `${name} wrote: ${message}`,
    messages: (count: number) => `${count} new messages`,
    microphone: { on: "Your microphone is on", off: "Your microphone is muted" },
    camera: { on: "Your camera is on", off: "Your camera is off" },
    shareOn: "You are sharing your screen",
    shareOff: "You are no longer sharing your screen",
    screenShared: (name: string) => `${name} is sharing a screen`,
    screenEnded: (name: string) => `${name} is no longer sharing a screen`,
    locked: "The room is locked",
    unlocked: "The room is open again",
    handUp: "Your hand is raised",
    handDown: "Your hand is lowered",
    handsRaised: (names: readonly string[]) => `Raised hand: ${several(names)}`,
  },
  chat: {
    title: "Chat",
    empty: "No messages yet. Messages are seen by everybody who is here now, and are not kept.",
    messages: "Messages",
    newer: "Newer messages",
    input: "Message to everybody",
    send: "Send",
    you: "You",
    failed: "Not sent.",
    sendAgain: "Send again",
  },
  people: {
    /** In the order of REACTIONS. */
    reactions: ["Thumbs up", "Thumbs down", "Applause", "Heart", "Laughing", "Surprised", "Celebration"],
    hand: (place: string) => `raised hand, number ${place}`,
  },
  recordings: {
    title: "Recordings",
    loading: "Looking for recordings …",
    empty: "Nothing has been recorded in this meeting yet.",
    notStarted: "Recording",
    status: {
      STARTING: "Starting",
      ACTIVE: "Recording now",
      ENDING: "Being finished",
      COMPLETE: "Ready",
      LIMITED_REACHED: "Ready, stopped at a limit",
      FAILED: "Failed, the media is lost",
      ABORTED: "Nothing was recorded",
    } satisfies Record<RecordingStatus, string>,
    duration: "Length",
    size: "Size",
    play: "Play",
    playOf: (when: string) => `Play the recording of ${when}`,
    download: "Download",
    downloadOf: (when: string) => `Download the recording of ${when}`,
    delete: "Delete",
    deleteOf: (when: string) => `Delete the recording of ${when}`,
    deleteTitle: "Delete this recording?",
    deleteWarning: (when: string) => `The recording of ${when} is deleted for everybody and cannot be brought back.`,
    keep: "Keep",
    playerTitle: (when: string) => `Recording of ${when}`,
  },
  notices: {
    device_added: (device: DeviceKind, label: string) =>
      `New ${device === "camera" ? "camera" : "microphone"}: ${label}`,
    device_replaced: (device: DeviceKind, label: string) =>
      `Your ${device === "camera" ? "camera" : "microphone"} was gone. Now in use: ${label}`,
    silent_microphone: "Your microphone gives no sound. It may be switched off at the device.",
    muted_by_moderator: "A moderator muted you",
    actions: {
      device_added: "Use it",
      device_replaced: "Choose another",
      silent_microphone: "Choose another",
      muted_by_moderator: "Unmute",
    },
  },
  devicesDialog: { title: "Devices", hideSelf: "Hide my own picture" },
  layout: {
    speaker: "Speaker view",
    grid: "Grid view",
    pin: (name: string) => `Pin ${name}`,
    unpin: (name: string) => `Unpin ${name}`,
    page: (page: string, pages: string) => `Page ${page} of ${pages}`,
    previous: "Previous page",
    next: "Next page",
  },
  fullScreen: { enter: "Full screen", leave: "Leave full screen" },
  help: {
    title: "Help",
    shortcuts: "Keyboard shortcuts",
    enabled: "Use single-key shortcuts",
    keys: {
      m: "Mute or unmute",
      v: "Start or stop the camera",
      s: "Start or stop sharing the screen",
      c: "Open or close the chat",
      h: "Raise or lower your hand",
      "?": "Open this help",
      Esc: "Close a panel or dialog",
    },
  },
  returning: {
    title: "The connection was lost",
    advice: "The page comes back by itself as soon as there is a network, with camera and microphone as they were.",
    tryNow: "Try now",
  },
  ended: {
    left: { title: "You left the meeting", advice: "You can close this window." },
    again: "Join again",
    retry: "Try again",
  },
} as const;

/** The same keys with other words. */
type Translated<T> = T extends string
  ? string
  : T extends (...values: infer Values) => string
    ? (...values: Values) => string
    : { readonly [Key in keyof T]: Translated<T[Key]> };

/** What a language has to have: its type finds a key that is missing, and one that is too many. */
export type Catalogue = Translated<typeof en>;
