/** The ways to look at a meeting, and its connection. */
export const views = {
  moveSelf: "Déplacer mon image",
  stop: "Arrêter",
  pip: "Image dans l’image",
  back: "Retour",
  connection: {
    title: "Connexion",
    own: {
      good: "Votre connexion est bonne.",
      weak: "Votre connexion est faible.",
      lost: "Votre connexion est coupée.",
    },
    tile: { weak: "Connexion faible", lost: "Connexion perdue" },
    paused: "Les images sont en pause pour que le son continue.",
    pausedTile: "En pause pour que le son continue",
    save: "Économiser les données",
    saving: "Économie de données",
    saveData: { all: "Toutes les images", pinned: "Seulement les images épinglées", sound: "Seulement le son" },
    numbers: "Chiffres",
    columns: {
      track: "Piste",
      kbps: "kbit/s",
      loss: "Perte",
      roundTrip: "Aller-retour",
      size: "Taille",
      fps: "Images/s",
      codec: "Codec",
      path: "Chemin",
    },
    sources: {
      microphone: "micro",
      camera: "caméra",
      screen_share: "écran",
      screen_share_audio: "son de l’écran",
    },
  },
};
