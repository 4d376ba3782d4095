import type { RecordingStatus } from "../api/recordings.ts";
import type { Cause } from "../app_error.ts";
import type { DeviceKind } from "../session/devices.ts";
import { listOf } from "./lists.ts";

/** What happened, and what the user can do about it. */
export interface ErrorText {
  readonly title: string;
  readonly advice: string;
}

const errors: Readonly<Record<Cause, ErrorText>> = {
  no_link: {
    title: "Tertulia is running",
    advice:
      "Open the link of a meeting to join it. Applications make rooms and links by the API: see /meet/api/v1/docs.",
  },
  link_not_valid: {
    title: "This link is not valid",
    advice: "It may be cut off or out of use. Ask the person who invited you for a new link.",
  },
  meeting_over: {
    title: "This meeting is over or does not exist",
    advice: "It has ended, has expired or was deleted. Ask the person who invited you for a new link.",
  },
  name_taken: {
    title: "A participant already has this name",
    advice: "Choose another name, for example with your surname.",
  },
  name_not_valid: {
    title: "This name cannot be used",
    advice: "Use 1 to 128 letters, digits or other visible characters.",
  },
  login_needed: {
    title: "Only users who are logged in can join",
    advice: "This page has no login. Ask the person who invited you for another way to join.",
  },
  too_many_tries: {
    title: "Too many tries",
    advice: "Wait a minute, then try again.",
  },
  full: {
    title: "The meeting is full",
    advice: "Try again when a participant has left, or ask the organiser for more places.",
  },
  not_admitted: {
    title: "The server did not let you in",
    advice: "Your place in this meeting is no longer valid. Open the link again.",
  },
  removed: {
    title: "A moderator removed you from the meeting",
    advice: "If you think this was a mistake, contact the organiser.",
  },
  joined_elsewhere: {
    title: "You joined from another window or device",
    advice: "Go on there, or join here again, which closes the other one.",
  },
  server_unreachable: {
    title: "The server cannot be reached",
    advice: "Check your internet connection, then try again.",
  },
  server_stopping: {
    title: "The server is being restarted",
    advice: "Wait a minute, then join again.",
  },
  media_blocked: {
    title: "Pictures and sound do not get through",
    advice: "Your network seems to block video calls. Try another network, or ask its administrator to allow WebRTC.",
  },
  connection_lost: {
    title: "The connection was lost",
    advice: "Check your internet connection, then join again.",
  },
  no_webrtc: {
    title: "This browser cannot take part in video meetings",
    advice: "Open the link in a current Chrome, Edge, Firefox or Safari.",
  },
  unexpected: {
    title: "Something went wrong",
    advice: "Try again. If it happens again, tell the organiser.",
  },
  device_denied: {
    title: "The browser may not use it",
    advice: "Allow it with the symbol beside the address, then switch it on again. You can also join without it.",
  },
  device_denied_by_system: {
    title: "The system does not let the browser use it",
    advice:
      "Allow it for the browser in the system’s privacy settings (camera and microphone), then switch it on again. " +
      "You can also join without it.",
  },
  device_blocked_by_page: {
    title: "The page around this meeting does not allow it",
    advice:
      'The iframe of the meeting needs allow="camera; microphone". Tell those who run that page. ' +
      "You can also join without it.",
  },
  device_missing: {
    title: "None was found",
    advice: "Connect one and switch it on again. You can also join without it.",
  },
  device_in_use: {
    title: "It is used by another program",
    advice: "Close the other program, then switch it on again. You can also join without it.",
  },
  device_insecure: {
    title: "The browser allows it only on secure pages",
    advice: "Open the meeting with an https:// address. You can also join without it.",
  },
  device_failed: {
    title: "It did not start",
    advice: "Connect it again or choose another one. You can also join without it.",
  },
  share_failed: {
    title: "Your screen cannot be shared",
    advice: "The system did not hand its picture over. Allow screen recording for the browser, then try again.",
  },
  share_denied_by_system: {
    title: "The system does not let the browser see the screen",
    advice:
      "On a Mac: System Settings → Privacy & Security → Screen & System Audio Recording: switch the browser on and " +
      "start it again.",
  },
  share_refused: {
    title: "The browser refused to share the screen without asking you",
    advice:
      "A policy of this computer may forbid it (in Chrome and Edge: ScreenCaptureAllowed). Ask its administrator.",
  },
  share_blocked_by_page: {
    title: "The page around this meeting does not allow sharing the screen",
    advice:
      'The iframe of the meeting needs allow="display-capture". Tell those who run that page, or open the meeting in ' +
      "a tab of its own.",
  },
  recording_off: {
    title: "Recording is switched off for this meeting",
    advice: "Ask the organiser to allow it.",
  },
  recording_conflict: {
    title: "Another moderator was faster",
    advice: "The recording has already been started or stopped. Look at the mark at the top.",
  },
  recording_failed: {
    title: "The recording did not start",
    advice: "The server cannot record at the moment. Try again in a minute, or tell the organiser.",
  },
  recording_gone: {
    title: "This recording is not there any more",
    advice: "It has been deleted.",
  },
  recording_running: {
    title: "The recording is not finished",
    advice: "Wait until it is ready, then try again.",
  },
  recordings_unavailable: {
    title: "The recordings cannot be reached at the moment",
    advice: "Nothing is lost. Try again in a minute, or tell the organiser.",
  },
  recording_unplayable: {
    title: "The recording does not play",
    advice: "Check your internet connection and play it again, or download it and open it in a media player.",
  },
};

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
