/** Backgrounds and noise suppression. */
export const effects = {
  open: "Arrière-plan et bruit",
  background: "Arrière-plan",
  backgrounds: {
    none: "Aucun",
    light: "Flou léger",
    strong: "Flou fort",
    dawn: "Aube",
    sea: "Mer",
    forest: "Forêt",
    night: "Nuit",
    own: "Image personnelle",
  },
  choosePicture: "Choisir une image …",
  pictureKept: "L’image reste sur cet appareil.",
  notAPicture: "Le navigateur ne peut pas afficher ce fichier comme image.",
  unsupported: "Ce navigateur ne peut pas changer l’arrière-plan.",
  loading: "Chargement …",
  noise: "Réduction du bruit",
  noiseLevels: { off: "Désactivée", browser: "Normale", strong: "Forte" },
};

export const effectNotices = {
  background_slow: "Cet appareil est trop lent pour l’arrière-plan.",
  background_failed: "L’arrière-plan s’est arrêté, et votre image avec lui.",
  background_refused: "Cette salle n’autorise pas les arrière-plans. Le vôtre est désactivé.",
  noise_failed: "La réduction forte ne fonctionne pas ici. La normale est utilisée.",
};

export const effectActions = {
  background_slow: "Retirer l’arrière-plan",
  background_failed: "Retirer l’arrière-plan",
  background_refused: "Couper la caméra",
  noise_failed: "Choisir une autre",
};
