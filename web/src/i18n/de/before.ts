/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `Als „${name}“ teilnehmen`,
  speaker: "Lautsprecher",
  testSound: "Ton testen",
  playing: "Ton läuft …",
  flip: "Kamera wechseln",
  hearsMuted: "Hinweisen, wenn ich stumm geschaltet spreche (nur dieses Gerät hört zu)",
  space: "Leertaste",
};
