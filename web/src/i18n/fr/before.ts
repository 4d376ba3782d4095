/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `Entrer en tant que « ${name} »`,
  speaker: "Haut-parleur",
  testSound: "Tester le son",
  playing: "Lecture …",
  flip: "Changer de caméra",
  hearsMuted: "Me prévenir si je parle micro coupé (seul cet appareil écoute)",
  space: "Espace",
};
