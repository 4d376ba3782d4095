/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `Join as “${name}”`,
  speaker: "Speaker",
  chooseSpeaker: "Choose speaker",
  speakersHidden: "Your browser asks for the microphone before it shows speakers. Nothing is recorded or sent.",
  testSound: "Test sound",
  playing: "Playing …",
  flip: "Switch camera",
  hearsMuted: "Tell me when I speak while muted (only this device listens)",
  space: "Space",
};
