import type { Cause } from "../../app_error.ts";

/** What happened, and what the user can do about it. */
export interface ErrorText {
  readonly title: string;
  readonly advice: string;
}

/** What can go wrong, in English. */
export const errors: Readonly<Record<Cause, ErrorText>> = {
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
  room_locked: { title: "The room is locked", advice: "A moderator has locked it. Ask to be let in, then try again." },
  lobby: { title: "This meeting has a lobby", advice: "Join again and wait until a moderator lets you in." },
  lobby_refused: {
    title: "You were not let in",
    advice: "A moderator decided so. If you think this was a mistake, contact the organiser.",
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
  background_failed: {
    title: "The background did not start",
    advice: "Choose another or none under Devices, then try again.",
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
  action_failed: {
    title: "That did not work",
    advice: "They may have left, or your role has changed. Try again.",
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
