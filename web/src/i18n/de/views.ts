/** The ways to look at a meeting, and its connection. */
export const views = {
  moveSelf: "Mein Bild verschieben",
  stop: "Beenden",
  pip: "Bild im Bild",
  back: "Zurück",
  connection: {
    title: "Verbindung",
    own: {
      good: "Ihre Verbindung ist gut.",
      weak: "Ihre Verbindung ist schwach.",
      lost: "Ihre Verbindung ist unterbrochen.",
    },
    tile: { weak: "Schwache Verbindung", lost: "Verbindung unterbrochen" },
    paused: "Bilder sind angehalten, damit der Ton weiterläuft.",
    pausedTile: "Angehalten, damit der Ton weiterläuft",
    save: "Daten sparen",
    saving: "Datensparen",
    saveData: { all: "Alle Bilder", pinned: "Nur angeheftete Bilder", sound: "Nur Ton" },
    numbers: "Zahlen",
    columns: {
      track: "Spur",
      kbps: "kbit/s",
      loss: "Verlust",
      roundTrip: "Umlaufzeit",
      size: "Größe",
      fps: "Bilder/s",
      codec: "Codec",
      path: "Weg",
    },
    sources: {
      microphone: "Mikrofon",
      camera: "Kamera",
      screen_share: "Bildschirm",
      screen_share_audio: "Ton des Bildschirms",
    },
  },
};
