/** Backgrounds and noise suppression. */
export const effects = {
  open: "Hintergrund und Rauschen",
  background: "Hintergrund",
  backgrounds: {
    none: "Keiner",
    light: "Leicht unscharf",
    strong: "Stark unscharf",
    dawn: "Morgen",
    sea: "Meer",
    forest: "Wald",
    night: "Nacht",
    own: "Eigenes Bild",
  },
  choosePicture: "Bild auswählen …",
  pictureKept: "Das Bild bleibt auf diesem Gerät.",
  notAPicture: "Der Browser kann diese Datei nicht als Bild anzeigen.",
  unsupported: "Dieser Browser kann den Hintergrund nicht ändern.",
  loading: "Wird geladen …",
  noise: "Rauschunterdrückung",
  noiseLevels: { off: "Aus", browser: "Normal", strong: "Stark" },
};

export const effectNotices = {
  background_slow: "Dieses Gerät ist zu langsam für den Hintergrund.",
  background_failed: "Der Hintergrund ist ausgefallen und mit ihm Ihr Bild.",
  background_refused: "Dieser Raum erlaubt keine Hintergründe. Ihrer ist ausgeschaltet.",
  noise_failed: "Die starke Rauschunterdrückung geht hier nicht. Es gilt die normale.",
};

export const effectActions = {
  background_slow: "Hintergrund entfernen",
  background_failed: "Hintergrund entfernen",
  background_refused: "Kamera ausschalten",
  noise_failed: "Anderes auswählen",
};
