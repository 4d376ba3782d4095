/** The ways to look at a meeting, and its connection. */
export const views = {
  moveSelf: "Mover mi imagen",
  stop: "Detener",
  pip: "Imagen en imagen",
  back: "Volver",
  connection: {
    title: "Conexión",
    own: { good: "Tu conexión es buena.", weak: "Tu conexión es débil.", lost: "Has perdido la conexión." },
    tile: { weak: "Conexión débil", lost: "Sin conexión" },
    paused: "Las imágenes están en pausa para que siga el sonido.",
    pausedTile: "En pausa para que siga el sonido",
    save: "Ahorrar datos",
    saving: "Ahorro de datos",
    saveData: { all: "Todas las imágenes", pinned: "Solo las imágenes fijadas", sound: "Solo sonido" },
    numbers: "Cifras",
    columns: {
      track: "Pista",
      kbps: "kbit/s",
      loss: "Pérdida",
      roundTrip: "Ida y vuelta",
      size: "Tamaño",
      fps: "Imágenes/s",
      codec: "Códec",
      path: "Ruta",
    },
    sources: {
      microphone: "micrófono",
      camera: "cámara",
      screen_share: "pantalla",
      screen_share_audio: "sonido de la pantalla",
    },
  },
};
