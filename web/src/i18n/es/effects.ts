/** Backgrounds and noise suppression. */
export const effects = {
  open: "Fondo y ruido",
  background: "Fondo",
  backgrounds: {
    none: "Ninguno",
    light: "Desenfoque suave",
    strong: "Desenfoque fuerte",
    dawn: "Amanecer",
    sea: "Mar",
    forest: "Bosque",
    night: "Noche",
    own: "Imagen propia",
  },
  choosePicture: "Elegir una imagen …",
  pictureKept: "La imagen no sale de este dispositivo.",
  notAPicture: "El navegador no puede mostrar este archivo como imagen.",
  unsupported: "Este navegador no puede cambiar el fondo.",
  loading: "Cargando …",
  noise: "Supresión de ruido",
  noiseLevels: { off: "Desactivada", browser: "Normal", strong: "Fuerte" },
};

export const effectNotices = {
  background_slow: "Este dispositivo es demasiado lento para el fondo.",
  background_failed: "El fondo se ha detenido, y con él tu imagen.",
  background_refused: "Esta sala no permite fondos. El tuyo está desactivado.",
  noise_failed: "La supresión fuerte no funciona aquí. Se usa la normal.",
};

export const effectActions = {
  background_slow: "Quitar el fondo",
  background_failed: "Quitar el fondo",
  background_refused: "Apagar la cámara",
  noise_failed: "Elegir otra",
};
