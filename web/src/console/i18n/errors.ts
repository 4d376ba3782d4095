import type { ErrorText } from "../../i18n/index.ts";

/** What a refusal means to an administrator, by its code; the server's own sentence where it is not here. */
export const errors: Readonly<Record<string, ErrorText>> = {
  offline: { title: "The server cannot be reached.", advice: "Check your network, and whether the server runs." },
  session_ended: { title: "Your session has ended.", advice: "Log in again to go on." },
  wrong_credentials: { title: "Wrong user or password.", advice: "Try again." },
  wrong_password: { title: "The current password is wrong.", advice: "Try again." },
  password_configured: { title: "The configuration holds the password.", advice: "Change it there." },
  api_key_configured: { title: "The configuration holds this key.", advice: "Change it there." },
  api_key_not_found: { title: "This key does not exist any more.", advice: "It was revoked." },
  too_many_api_keys: { title: "There are too many keys.", advice: "Revoke one that is not used." },
  too_many_requests: { title: "Too many failed attempts.", advice: "Wait some minutes, then try again." },
  not_ready: { title: "The server is starting or stopping.", advice: "Try again in a moment." },
  store_unavailable: { title: "The database cannot be used right now.", advice: "See Health for its state." },
  media_unavailable: { title: "The media server does not answer.", advice: "See Health for its state." },
  disk_full: { title: "The disk is full.", advice: "Delete recordings, or free space on the server." },
  room_not_found: { title: "There is no such room.", advice: "It has expired, or was deleted." },
  participant_not_found: { title: "The participant has left.", advice: "" },
  room_empty: { title: "Nobody is in the room.", advice: "A recording can start once a participant has joined." },
  already_recording: { title: "This room is being recorded already.", advice: "" },
  recording_disabled: { title: "This room may not be recorded.", advice: "Allow recording first." },
  recording_not_found: { title: "This recording does not exist any more.", advice: "" },
  recording_not_finished: { title: "This recording is not finished.", advice: "Stop it first." },
  recording_file_not_found: { title: "The file of this recording is gone.", advice: "Delete the recording." },
  recording_failed: { title: "The recording did not start.", advice: "See the server's log for the reason." },
  path_not_found: { title: "This server does not offer this.", advice: "It may be older than this page." },
  unexpected: { title: "That did not work.", advice: "Try again. If it goes on, see the server's log." },
};
