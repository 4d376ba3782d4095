import type { RecordingStatus } from "../api/recordings.ts";
import type { Cause } from "../app_error.ts";

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
    title: "VideoTrack and sound do not get through",
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
    advice: "Allow screen recording for the browser in the system settings, then try again.",
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
  message_not_sent: {
    title: "The message was not sent",
    advice: "Check your connection, then send it again.",
  },
};

/** Every text that the user sees or a screen reader reads out. */
export const en = {
  errors,
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
  },
  announce: {
    joined: (name: string) => `${name} joined`,
    left: (name: string) => `${name} left`,
    inMeeting: "You are in the meeting",
    recordingOn: "This meeting is being recorded",
    recordingOff: "The recording has stopped",
    recordingReady: "The recording is ready to play",
    recordingDeleted: "The recording is deleted",
    reconnecting: "Connection lost, reconnecting",
    reconnected: "Connected again",
    message: (name: string, text: string) => `${name} wrote: ${text}`,
    micOn: "Your microphone is on",
    micOff: "Your microphone is muted",
    cameraOn: "Your camera is on",
    cameraOff: "Your camera is off",
    shareOn: "You are sharing your screen",
    shareOff: "You are no longer sharing your screen",
    screenShared: (name: string) => `${name} is sharing a screen`,
  },
  chat: {
    title: "Chat",
    empty: "No messages yet. Messages are seen by everybody who is here now, and are not kept.",
    input: "Message to everybody",
    send: "Send",
    you: "You",
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
  devicesDialog: { title: "Devices" },
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
  ended: {
    left: { title: "You left the meeting", advice: "You can close this window." },
    again: "Join again",
    retry: "Try again",
  },
} as const;
