import type { Catalogue } from "./en.ts";
import { listOf } from "./lists.ts";

const several = (names: readonly string[]) => listOf("de", names, (count) => `${count} weitere`);

const errors: Catalogue["errors"] = {
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

const device = { camera: "Kamera", microphone: "Mikrofon", defaultChoice: "Standard", level: "Pegel des Mikrofons" };

export const de: Catalogue = {
  errors,
  failedPart: {
    title: (part) => `${part}: dieser Teil der Seite ist ausgefallen.`,
    advice: "Ton und Bilder laufen weiter.",
    retry: "Wieder anzeigen",
  },
  page: "Die Besprechungsseite",
  appName: "Tertulia",
  loading: "Die Besprechung wird geöffnet …",
  prejoin: {
    title: "An der Besprechung teilnehmen",
    titleOf: (room) => `An „${room}“ teilnehmen`,
    nameLabel: "Ihr Name",
    namePlaceholder: "So sehen Sie die anderen",
    nameMissing: "Bitte geben Sie Ihren Namen ein.",
    watchOnly: "Mit diesem Link sehen und hören Sie zu. Die anderen sehen und hören Sie nicht.",
    noPicture: "Ihre Kamera ist aus",
    previewLabel: "Ihr eigenes Bild",
    join: "Teilnehmen",
    joining: "Einen Moment …",
  },
  device,
  controls: {
    label: "Bedienung der Besprechung",
    microphoneOn: "Stumm schalten",
    microphoneOff: "Mikrofon an",
    cameraOn: "Kamera aus",
    cameraOff: "Kamera an",
    shareOn: "Nicht mehr teilen",
    shareOff: "Bildschirm teilen",
    handOn: "Hand senken",
    handOff: "Hand heben",
    reactions: "Reaktionen",
    chat: "Chat",
    chatUnread: (count) => `Chat, ${count} ungelesen`,
    devices: "Geräte",
    help: "Hilfe",
    recordOn: "Aufzeichnung beenden",
    recordOff: "Aufzeichnen",
    recordBusy: "Einen Moment …",
    recordings: "Aufzeichnungen",
    leave: "Verlassen",
    startAudio: "Ton einschalten",
    startVideo: "Bilder zeigen",
    retryDevice: "Wieder versuchen",
    dismiss: "Ausblenden",
    close: "Schließen",
  },
  meeting: {
    participants: "Personen in der Besprechung",
    count: (count) => (count === 1 ? "1 Person hier" : `${count} Personen hier`),
    alone: "Noch ist niemand sonst hier.",
    nobodyPublishes: "Noch spricht niemand …",
    you: (name) => `${name} (Sie)`,
    screenOf: (name) => `Bildschirm von ${name}`,
    ownScreen: "Ihr Bildschirm",
    muted: "stumm",
    speaking: "spricht",
    recording: "Aufzeichnung",
    watching: "Sie sehen zu",
    locked: "Abgeschlossen",
    reconnecting: "Verbindung verloren. Neuer Versuch …",
    blockedSound: "Der Browser hält den Ton zurück.",
    blockedVideo: "Der Browser hält die Bilder zurück.",
  },
  announce: {
    joined: (names) => `Neu dabei: ${several(names)}`,
    left: (names) => `Gegangen: ${several(names)}`,
    inMeeting: "Sie sind in der Besprechung",
    recordingOn: "Diese Besprechung wird aufgezeichnet",
    recordingOff: "Die Aufzeichnung ist beendet",
    recordingReady: "Die Aufzeichnung ist fertig",
    recordingDeleted: "Die Aufzeichnung ist gelöscht",
    reconnecting: "Verbindung verloren, neuer Versuch",
    reconnected: "Wieder verbunden",
    returning: "Die Verbindung ist abgebrochen. Die Seite kommt von selbst zurück, wenn das Netz wieder da ist.",
    message: (name, message) => `${name} schreibt: ${message}`,
    messages: (count) => `${count} neue Nachrichten`,
    microphone: { on: "Ihr Mikrofon ist an", off: "Ihr Mikrofon ist stumm" },
    camera: { on: "Ihre Kamera ist an", off: "Ihre Kamera ist aus" },
    shareOn: "Sie teilen Ihren Bildschirm",
    shareOff: "Sie teilen Ihren Bildschirm nicht mehr",
    screenShared: (name) => `${name} teilt einen Bildschirm`,
    screenEnded: (name) => `${name} teilt keinen Bildschirm mehr`,
    locked: "Der Raum ist abgeschlossen",
    unlocked: "Der Raum ist wieder offen",
    handUp: "Ihre Hand ist gehoben",
    handDown: "Ihre Hand ist gesenkt",
    handsRaised: (names) => `Hand gehoben: ${several(names)}`,
  },
  lobby: {
    title: "Warten Sie, bis Sie eingelassen werden",
    advice: "Die Moderatoren sehen, dass Sie da sind. Lassen Sie diese Seite offen.",
  },
  chat: {
    title: "Chat",
    empty: "Noch keine Nachrichten. Alle, die jetzt hier sind, sehen sie; aufbewahrt werden sie nicht.",
    messages: "Nachrichten",
    newer: "Neuere Nachrichten",
    input: "Nachricht an alle",
    send: "Senden",
    you: "Sie",
    failed: "Nicht gesendet.",
    sendAgain: "Noch einmal senden",
  },
  people: {
    title: "Personen",
    search: "Namen suchen",
    none: "Niemand heißt so.",
    roles: { moderator: "Moderator", publisher: "Teilnehmer", viewer: "Zuschauer" },
    microphone: { on: "Mikrofon an", off: "Stumm" },
    camera: { on: "Kamera an", off: "Kamera aus" },
    quality: {
      excellent: "Sehr gute Verbindung",
      good: "Gute Verbindung",
      poor: "Schlechte Verbindung",
      lost: "Verbindung verloren",
    },
    actionsOf: (name) => `Aktionen für ${name}`,
    roleOf: (name) => `Rolle von ${name}`,
    actions: {
      mute: "Stumm schalten",
      askToUnmute: "Um Mikrofon bitten",
      stopCamera: "Kamera beenden",
      lowerHand: "Hand senken",
      remove: "Entfernen",
    },
    guests: "Warten auf Einlass",
    admit: "Einlassen",
    admitOf: (name) => `${name} einlassen`,
    refuse: "Ablehnen",
    refuseOf: (name) => `${name} ablehnen`,
    admitAll: "Alle einlassen",
    muteAll: "Alle stumm schalten",
    lowerAllHands: "Alle Hände senken",
    lock: "Raum abschließen",
    unlock: "Raum öffnen",
    endForAll: "Für alle beenden",
    endTitle: "Die Besprechung für alle beenden?",
    endWarning: "Alle verlassen sie sofort.",
    cancel: "Abbrechen",
    reactions: ["Daumen hoch", "Daumen runter", "Applaus", "Herz", "Lachen", "Erstaunt", "Feiern"],
    hand: (place) => `gehobene Hand, Nummer ${place}`,
  },
  recordings: {
    title: "Aufzeichnungen",
    loading: "Aufzeichnungen werden gesucht …",
    empty: "In dieser Besprechung wurde noch nichts aufgezeichnet.",
    notStarted: "Aufzeichnung",
    status: {
      STARTING: "Beginnt",
      ACTIVE: "Läuft",
      ENDING: "Wird fertiggestellt",
      COMPLETE: "Fertig",
      LIMITED_REACHED: "Fertig, an einer Grenze beendet",
      FAILED: "Fehlgeschlagen, der Inhalt ist verloren",
      ABORTED: "Nichts wurde aufgezeichnet",
    },
    duration: "Länge",
    size: "Größe",
    play: "Abspielen",
    playOf: (when) => `Aufzeichnung vom ${when} abspielen`,
    download: "Herunterladen",
    downloadOf: (when) => `Aufzeichnung vom ${when} herunterladen`,
    delete: "Löschen",
    deleteOf: (when) => `Aufzeichnung vom ${when} löschen`,
    deleteTitle: "Diese Aufzeichnung löschen?",
    deleteWarning: (when) => `Die Aufzeichnung vom ${when} wird für alle gelöscht und lässt sich nicht zurückholen.`,
    keep: "Behalten",
    playerTitle: (when) => `Aufzeichnung vom ${when}`,
  },
  notices: {
    device_added: (kind, label) => `${device[kind]} angeschlossen: ${label}`,
    device_replaced: (kind, label) => `${device[kind]} abgezogen. Jetzt in Gebrauch: ${label}`,
    silent_microphone: "Ihr Mikrofon gibt keinen Ton. Vielleicht ist es am Gerät ausgeschaltet.",
    muted_by_moderator: "Ein Moderator hat Sie stumm geschaltet",
    lobby: (count) => (count === 1 ? "1 Person wartet auf Einlass" : `${count} Personen warten auf Einlass`),
    camera_stopped: "Ein Moderator hat Ihre Kamera beendet",
    ask_to_unmute: "Ein Moderator bittet Sie, das Mikrofon einzuschalten",
    actions: {
      lobby: "Zeigen",
      camera_stopped: "Kamera an",
      ask_to_unmute: "Mikrofon an",
      device_added: "Benutzen",
      device_replaced: "Anderes wählen",
      silent_microphone: "Anderes wählen",
      muted_by_moderator: "Mikrofon an",
    },
  },
  devicesDialog: { title: "Geräte", hideSelf: "Mein eigenes Bild ausblenden" },
  layout: {
    speaker: "Sprecheransicht",
    grid: "Rasteransicht",
    pin: (name) => `${name} anheften`,
    unpin: (name) => `${name} lösen`,
    page: (page, pages) => `Seite ${page} von ${pages}`,
    previous: "Vorige Seite",
    next: "Nächste Seite",
  },
  fullScreen: { enter: "Vollbild", leave: "Vollbild verlassen" },
  help: {
    title: "Hilfe",
    shortcuts: "Tastenkürzel",
    enabled: "Kürzel mit einer Taste verwenden",
    keys: {
      m: "Mikrofon stumm oder an",
      v: "Kamera an oder aus",
      s: "Bildschirm teilen oder nicht mehr",
      c: "Chat öffnen oder schließen",
      h: "Hand heben oder senken",
      p: "Liste der Personen öffnen oder schließen",
      "?": "Diese Hilfe öffnen",
      Esc: "Bereich oder Fenster schließen",
    },
  },
  returning: {
    title: "Die Verbindung ist abgebrochen",
    advice: "Die Seite kommt von selbst zurück, sobald es wieder ein Netz gibt, mit Kamera und Mikrofon wie vorher.",
    tryNow: "Jetzt versuchen",
  },
  ended: {
    left: { title: "Sie haben die Besprechung verlassen", advice: "Sie können dieses Fenster schließen." },
    again: "Wieder teilnehmen",
    retry: "Wieder versuchen",
  },
};
