/** Getting ready: name, devices, and a microphone that is muted. */
export const before = {
  joinAs: (name: string) => `Entrar como «${name}»`,
  speaker: "Altavoz",
  chooseSpeaker: "Elegir altavoz",
  speakersHidden:
    "El navegador pide permiso para el micrófono antes de mostrar los altavoces. No se graba ni se envía nada.",
  testSound: "Probar sonido",
  playing: "Sonando …",
  flip: "Cambiar de cámara",
  hearsMuted: "Avisarme si hablo con el micrófono silenciado (solo escucha este dispositivo)",
  space: "Espacio",
};
