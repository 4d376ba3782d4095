/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `Entrer en tant que « ${name} »`,
  speaker: "Haut-parleur",
  chooseSpeaker: "Choisir un haut-parleur",
  speakersHidden:
    "Le navigateur demande l’accès au micro avant d’afficher les haut-parleurs. Rien n’est enregistré ni envoyé.",
  testSound: "Tester le son",
  playing: "Lecture …",
  flip: "Changer de caméra",
  hearsMuted: "Me prévenir si je parle micro coupé (seul cet appareil écoute)",
  space: "Espace",
};
