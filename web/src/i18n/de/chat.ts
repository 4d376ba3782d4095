import type { Catalogue } from "../en/index.ts";

export const chat: Catalogue["chat"] = {
  title: "Chat",
  empty: "Noch keine Nachrichten. Wer später kommt, sieht sie auch, bis die Besprechung endet.",
  emptyNotKept: "Noch keine Nachrichten. Nur wer jetzt hier ist, sieht sie.",
  messages: "Nachrichten",
  newer: "Neuere Nachrichten",
  input: "Nachricht an alle",
  send: "Senden",
  you: "Sie",
  failed: "Nicht gesendet.",
  sendAgain: "Noch einmal senden",
  tooLong: (more) => `Um ${more} Zeichen zu lang`,
  showAll: "Alles anzeigen",
  copy: "Kopieren",
  copied: "Kopiert",
  attach: "Datei senden",
  fileTooLarge: (limit) => `Dateien dürfen höchstens ${limit} haben`,
  download: (name) => `${name} herunterladen`,
  cancel: "Abbrechen",
  gone: "Hier nicht mehr vorhanden",
  progressOf: (name) => `${name} wird gesendet`,
};
