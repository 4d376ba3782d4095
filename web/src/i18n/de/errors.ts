import type { Catalogue } from "../en/index.ts";

export const errors: Catalogue["errors"] = {
  no_link: {
    title: "Tertulia läuft",
    advice:
      "Öffnen Sie den Link einer Besprechung, um teilzunehmen. Anwendungen legen Räume und Links über die API an: siehe /meet/api/v1/docs.",
  },
  link_not_valid: {
    title: "Dieser Link ist nicht gültig",
    advice: "Er ist vielleicht abgeschnitten oder abgelaufen. Bitten Sie die einladende Person um einen neuen.",
  },
  meeting_over: {
    title: "Diese Besprechung ist vorbei oder existiert nicht",
    advice: "Sie wurde beendet, ist abgelaufen oder gelöscht. Bitten Sie die einladende Person um einen neuen Link.",
  },
  name_taken: {
    title: "Diesen Namen hat schon jemand",
    advice: "Wählen Sie einen anderen, zum Beispiel mit Ihrem Nachnamen.",
  },
  name_not_valid: {
    title: "Dieser Name geht nicht",
    advice: "Verwenden Sie 1 bis 128 Buchstaben, Ziffern oder andere sichtbare Zeichen.",
  },
  login_needed: {
    title: "Nur angemeldete Benutzer können teilnehmen",
    advice: "Auf dieser Seite kann man sich nicht anmelden. Fragen Sie die einladende Person nach einem anderen Weg.",
  },
  too_many_tries: { title: "Zu viele Versuche", advice: "Warten Sie eine Minute und versuchen Sie es wieder." },
  full: {
    title: "Die Besprechung ist voll",
    advice: "Versuchen Sie es wieder, wenn jemand gegangen ist, oder bitten Sie um mehr Plätze.",
  },
  room_locked: {
    title: "Der Raum ist abgeschlossen",
    advice: "Ein Moderator hat ihn abgeschlossen. Bitten Sie um Einlass und versuchen Sie es wieder.",
  },
  lobby: {
    title: "Diese Besprechung hat eine Lobby",
    advice: "Nehmen Sie noch einmal teil und warten Sie, bis ein Moderator Sie einlässt.",
  },
  lobby_refused: {
    title: "Sie wurden nicht eingelassen",
    advice: "So hat ein Moderator entschieden. Wenn das ein Versehen war, wenden Sie sich an den Veranstalter.",
  },
  not_admitted: {
    title: "Der Server hat Sie nicht eingelassen",
    advice: "Ihr Platz in dieser Besprechung gilt nicht mehr. Öffnen Sie den Link noch einmal.",
  },
  removed: {
    title: "Ein Moderator hat Sie aus der Besprechung entfernt",
    advice: "Wenn das ein Versehen war, wenden Sie sich an den Veranstalter.",
  },
  joined_elsewhere: {
    title: "Sie nehmen von einem anderen Fenster oder Gerät aus teil",
    advice: "Machen Sie dort weiter, oder nehmen Sie hier wieder teil: das schließt das andere.",
  },
  server_unreachable: {
    title: "Der Server ist nicht erreichbar",
    advice: "Prüfen Sie Ihre Internetverbindung und versuchen Sie es wieder.",
  },
  server_stopping: {
    title: "Der Server wird neu gestartet",
    advice: "Warten Sie eine Minute und nehmen Sie wieder teil.",
  },
  media_blocked: {
    title: "Bild und Ton kommen nicht durch",
    advice:
      "Ihr Netz scheint Videoanrufe zu sperren. Versuchen Sie ein anderes, oder bitten Sie den Administrator, WebRTC zuzulassen.",
  },
  connection_lost: {
    title: "Die Verbindung ist abgebrochen",
    advice: "Prüfen Sie Ihre Internetverbindung und nehmen Sie wieder teil.",
  },
  no_webrtc: {
    title: "Dieser Browser kann nicht an Videobesprechungen teilnehmen",
    advice: "Öffnen Sie den Link in einem aktuellen Chrome, Edge, Firefox oder Safari.",
  },
  unexpected: {
    title: "Etwas ging schief",
    advice: "Versuchen Sie es wieder. Wenn es noch einmal geschieht, sagen Sie es dem Veranstalter.",
  },
  device_denied: {
    title: "Der Browser darf es nicht benutzen",
    advice:
      "Erlauben Sie es mit dem Symbol neben der Adresse und schalten Sie es wieder ein. Sie können auch ohne teilnehmen.",
  },
  device_denied_by_system: {
    title: "Das System lässt den Browser nicht zu",
    advice:
      "Erlauben Sie es dem Browser in den Datenschutz-Einstellungen des Systems (Kamera und Mikrofon) und schalten Sie es wieder ein. Sie können auch ohne teilnehmen.",
  },
  device_blocked_by_page: {
    title: "Die Seite um diese Besprechung erlaubt es nicht",
    advice:
      'Das iframe der Besprechung braucht allow="camera; microphone". Sagen Sie es den Betreibern der Seite. Sie können auch ohne teilnehmen.',
  },
  device_missing: {
    title: "Es wurde keines gefunden",
    advice: "Schließen Sie eines an und schalten Sie es wieder ein. Sie können auch ohne teilnehmen.",
  },
  device_in_use: {
    title: "Ein anderes Programm benutzt es",
    advice: "Schließen Sie das andere Programm und schalten Sie es wieder ein. Sie können auch ohne teilnehmen.",
  },
  device_insecure: {
    title: "Der Browser erlaubt es nur auf sicheren Seiten",
    advice: "Öffnen Sie die Besprechung mit einer https://-Adresse. Sie können auch ohne teilnehmen.",
  },
  device_failed: {
    title: "Es ließ sich nicht starten",
    advice: "Schließen Sie es neu an oder wählen Sie ein anderes. Sie können auch ohne teilnehmen.",
  },
  background_failed: {
    title: "Der Hintergrund ist nicht gestartet",
    advice: "Wählen Sie unter „Geräte“ einen anderen oder keinen und versuchen Sie es noch einmal.",
  },
  share_failed: {
    title: "Ihr Bildschirm lässt sich nicht teilen",
    advice:
      "Das System gab das Bild nicht her. Erlauben Sie dem Browser die Bildschirmaufnahme und versuchen Sie es wieder.",
  },
  share_denied_by_system: {
    title: "Das System lässt den Browser den Bildschirm nicht sehen",
    advice:
      "Auf einem Mac: Systemeinstellungen → Datenschutz & Sicherheit → Bildschirm- & Systemaudioaufnahme: schalten Sie den Browser ein und starten Sie ihn neu.",
  },
  share_refused: {
    title: "Der Browser hat abgelehnt, ohne Sie zu fragen",
    advice:
      "Eine Richtlinie dieses Rechners verbietet es vielleicht (in Chrome und Edge: ScreenCaptureAllowed). Fragen Sie den Administrator.",
  },
  share_blocked_by_page: {
    title: "Die Seite um diese Besprechung erlaubt nicht, den Bildschirm zu teilen",
    advice:
      'Das iframe der Besprechung braucht allow="display-capture". Sagen Sie es den Betreibern der Seite, oder öffnen Sie die Besprechung in einem eigenen Tab.',
  },
  action_failed: {
    title: "Das hat nicht geklappt",
    advice: "Vielleicht ist die Person gegangen, oder Ihre Rolle hat sich geändert. Versuchen Sie es wieder.",
  },
  recording_off: {
    title: "In dieser Besprechung darf nicht aufgezeichnet werden",
    advice: "Bitten Sie den Veranstalter, es zu erlauben.",
  },
  recording_conflict: {
    title: "Ein anderer Moderator war schneller",
    advice: "Die Aufzeichnung läuft schon oder ist schon beendet. Sehen Sie auf die Anzeige oben.",
  },
  recording_failed: {
    title: "Die Aufzeichnung hat nicht begonnen",
    advice:
      "Der Server kann gerade nicht aufzeichnen. Versuchen Sie es in einer Minute, oder sagen Sie es dem Veranstalter.",
  },
  recording_gone: { title: "Diese Aufzeichnung gibt es nicht mehr", advice: "Sie wurde gelöscht." },
  recording_running: {
    title: "Die Aufzeichnung ist nicht fertig",
    advice: "Warten Sie, bis sie fertig ist, und versuchen Sie es wieder.",
  },
  recordings_unavailable: {
    title: "Die Aufzeichnungen sind gerade nicht erreichbar",
    advice: "Nichts ist verloren. Versuchen Sie es in einer Minute, oder sagen Sie es dem Veranstalter.",
  },
  recording_unplayable: {
    title: "Die Aufzeichnung lässt sich nicht abspielen",
    advice:
      "Prüfen Sie Ihre Verbindung und spielen Sie sie wieder ab, oder laden Sie sie herunter und öffnen Sie sie in einem Abspielprogramm.",
  },
};
