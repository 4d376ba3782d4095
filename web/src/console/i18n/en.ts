import { errors } from "./errors.ts";
import { health, insight } from "./health.ts";
import { recordings } from "./recordings.ts";
import { liveRoom, newRoom, people, preferences, quality, rooms } from "./rooms.ts";
import { keys, password, settings } from "./settings.ts";

/** The console's English words; another language is a file with the same keys. */
export const en = {
  product: "Tertulia",
  console: "Console",
  skip: "Skip to content",
  loading: "Loading…",
  close: "Close",
  cancel: "Cancel",
  retry: "Try again",
  logOut: "Log out",
  documentation: "Documentation",
  sections: {
    rooms: "Rooms",
    recordings: "Recordings",
    insight: "Insight",
    health: "Health",
    settings: "Settings",
  },
  navigation: "Console",
  cutOff: "The connection to the server is lost. What you see may be out of date.",
  pages: {
    label: "Pages",
    previous: "Previous",
    next: "Next",
    page: (number: string) => `Page ${number}`,
  },
  login: {
    title: "Log in",
    user: "User",
    password: "Password",
    show: "Show password",
    logIn: "Log in",
    hint: "The server printed the first password when it started. Lost it? Run “tertulia admin set-password” on the server.",
    ended: "Your session has ended. Log in again to go on.",
    unreachable: "The server cannot be reached.",
  },
  welcome: {
    title: "Welcome to Tertulia",
    step: (step: string, of: string) => `Step ${step} of ${of}`,
    passwordTitle: "Choose your own password",
    passwordHint: "The one that was printed can be read in the server’s output. Replace it by one that only you know.",
    keep: "Keep the printed one",
    next: "Continue",
    roomTitle: "Create your first room",
    roomHint: "A room is where people meet. It has a link for each role.",
    create: "Create room",
    later: "Later",
    tryTitle: "Try it",
    tryHint: "Open the room here, then on your phone by the QR code: you meet yourself.",
    open: "Open the room in a new tab",
    finish: "Go to the console",
  },
  rooms,
  newRoom,
  preferences,
  liveRoom,
  people,
  quality,
  recordings,
  settings,
  keys,
  password,
  health,
  insight,
  errors,
};

export type ConsoleWords = typeof en;
