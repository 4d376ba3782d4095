/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `Als „${name}“ teilnehmen`,
  speaker: "Lautsprecher",
  chooseSpeaker: "Lautsprecher wählen",
  speakersHidden:
    "Der Browser fragt nach dem Mikrofon, bevor er Lautsprecher zeigt. Nichts wird aufgenommen oder gesendet.",
  testSound: "Ton testen",
  playing: "Ton läuft …",
  flip: "Kamera wechseln",
  hearsMuted: "Hinweisen, wenn ich stumm geschaltet spreche (nur dieses Gerät hört zu)",
  space: "Leertaste",
};
