import type { Catalogue } from "./en.ts";
import { listOf } from "./lists.ts";

const several = (names: readonly string[]) => listOf("es", names, (count) => `${count} personas más`);

const errors: Catalogue["errors"] = {
  no_link: {
    title: "Tertulia está en marcha",
    advice:
      "Abre el enlace de una reunión para entrar. Las aplicaciones crean salas y enlaces con la API: ver /meet/api/v1/docs.",
  },
  link_not_valid: {
    title: "Este enlace no es válido",
    advice: "Puede estar cortado o haber caducado. Pide otro a quien te invitó.",
  },
  meeting_over: {
    title: "Esta reunión ha terminado o no existe",
    advice: "Terminó, caducó o fue borrada. Pide otro enlace a quien te invitó.",
  },
  name_taken: { title: "Ya hay un participante con este nombre", advice: "Elige otro, por ejemplo con tu apellido." },
  name_not_valid: {
    title: "Este nombre no se puede usar",
    advice: "Usa de 1 a 128 letras, cifras u otros caracteres visibles.",
  },
  login_needed: {
    title: "Solo pueden entrar usuarios con sesión iniciada",
    advice: "Esta página no permite iniciar sesión. Pregunta a quien te invitó cómo entrar.",
  },
  too_many_tries: { title: "Demasiados intentos", advice: "Espera un minuto e inténtalo de nuevo." },
  full: {
    title: "La reunión está llena",
    advice: "Inténtalo cuando alguien haya salido, o pide más plazas a quien la organiza.",
  },
  not_admitted: {
    title: "El servidor no te dejó entrar",
    advice: "Tu plaza en esta reunión ya no es válida. Abre el enlace de nuevo.",
  },
  removed: {
    title: "Un moderador te sacó de la reunión",
    advice: "Si crees que fue un error, habla con quien la organiza.",
  },
  joined_elsewhere: {
    title: "Entraste desde otra ventana u otro dispositivo",
    advice: "Sigue allí, o entra aquí otra vez, lo que cierra la otra.",
  },
  server_unreachable: {
    title: "No se llega al servidor",
    advice: "Comprueba tu conexión a internet e inténtalo de nuevo.",
  },
  server_stopping: { title: "El servidor se está reiniciando", advice: "Espera un minuto y entra de nuevo." },
  media_blocked: {
    title: "La imagen y el sonido no pasan",
    advice: "Tu red parece bloquear las videollamadas. Prueba otra red, o pide a su administrador que permita WebRTC.",
  },
  connection_lost: { title: "Se perdió la conexión", advice: "Comprueba tu conexión a internet y entra de nuevo." },
  no_webrtc: {
    title: "Este navegador no sirve para videoconferencias",
    advice: "Abre el enlace en un Chrome, Edge, Firefox o Safari actual.",
  },
  unexpected: { title: "Algo salió mal", advice: "Inténtalo de nuevo. Si se repite, avisa a quien organiza." },
  device_denied: {
    title: "El navegador no tiene permiso para usarlo",
    advice: "Permítelo con el símbolo junto a la dirección y vuelve a encenderlo. También puedes entrar sin él.",
  },
  device_denied_by_system: {
    title: "El sistema no deja que el navegador lo use",
    advice:
      "Permítelo en los ajustes de privacidad del sistema (cámara y micrófono) y vuelve a encenderlo. También puedes entrar sin él.",
  },
  device_blocked_by_page: {
    title: "La página que contiene esta reunión no lo permite",
    advice:
      'El iframe de la reunión necesita allow="camera; microphone". Avisa a los responsables de esa página. También puedes entrar sin él.',
  },
  device_missing: {
    title: "No se encontró ninguno",
    advice: "Conecta uno y vuelve a encenderlo. También puedes entrar sin él.",
  },
  device_in_use: {
    title: "Otro programa lo está usando",
    advice: "Cierra el otro programa y vuelve a encenderlo. También puedes entrar sin él.",
  },
  device_insecure: {
    title: "El navegador solo lo permite en páginas seguras",
    advice: "Abre la reunión con una dirección https://. También puedes entrar sin él.",
  },
  device_failed: {
    title: "No arrancó",
    advice: "Conéctalo de nuevo o elige otro. También puedes entrar sin él.",
  },
  share_failed: {
    title: "No se puede compartir tu pantalla",
    advice: "El sistema no entregó la imagen. Permite la grabación de pantalla al navegador e inténtalo de nuevo.",
  },
  share_denied_by_system: {
    title: "El sistema no deja que el navegador vea la pantalla",
    advice:
      "En un Mac: Ajustes del Sistema → Privacidad y seguridad → Grabación de pantalla y audio del sistema: activa el navegador y ábrelo de nuevo.",
  },
  share_refused: {
    title: "El navegador se negó a compartir la pantalla sin preguntarte",
    advice:
      "Puede prohibirlo una política de este equipo (en Chrome y Edge: ScreenCaptureAllowed). Pregunta a su administrador.",
  },
  share_blocked_by_page: {
    title: "La página que contiene esta reunión no permite compartir la pantalla",
    advice:
      'El iframe de la reunión necesita allow="display-capture". Avisa a los responsables de esa página, o abre la reunión en su propia pestaña.',
  },
  action_failed: {
    title: "No se pudo hacer",
    advice: "Puede que la persona haya salido o que tu papel haya cambiado. Inténtalo de nuevo.",
  },
  recording_off: {
    title: "En esta reunión no se puede grabar",
    advice: "Pide a quien la organiza que lo permita.",
  },
  recording_conflict: {
    title: "Otro moderador fue más rápido",
    advice: "La grabación ya se inició o se detuvo. Mira la marca de arriba.",
  },
  recording_failed: {
    title: "La grabación no empezó",
    advice: "El servidor no puede grabar ahora. Inténtalo en un minuto, o avisa a quien organiza.",
  },
  recording_gone: { title: "Esta grabación ya no está", advice: "Fue borrada." },
  recording_running: {
    title: "La grabación no está terminada",
    advice: "Espera a que esté lista e inténtalo de nuevo.",
  },
  recordings_unavailable: {
    title: "Ahora no se llega a las grabaciones",
    advice: "No se ha perdido nada. Inténtalo en un minuto, o avisa a quien organiza.",
  },
  recording_unplayable: {
    title: "La grabación no se reproduce",
    advice: "Comprueba tu conexión y reprodúcela de nuevo, o descárgala y ábrela en un reproductor.",
  },
};

const device = {
  camera: "Cámara",
  microphone: "Micrófono",
  defaultChoice: "Predeterminado",
  level: "Nivel del micrófono",
};

export const es: Catalogue = {
  errors,
  failedPart: {
    title: (part) => `${part}: esta parte de la página falló.`,
    advice: "El sonido y las imágenes siguen.",
    retry: "Mostrarla de nuevo",
  },
  page: "La página de la reunión",
  appName: "Tertulia",
  loading: "Abriendo la reunión …",
  prejoin: {
    title: "Entrar en la reunión",
    titleOf: (room) => `Entrar en «${room}»`,
    nameLabel: "Tu nombre",
    namePlaceholder: "Como te verán los demás",
    nameMissing: "Escribe tu nombre.",
    watchOnly: "Con este enlace ves y escuchas. Los demás no te ven ni te oyen.",
    noPicture: "Tu cámara está apagada",
    previewLabel: "Tu propia imagen",
    join: "Entrar",
    joining: "Entrando …",
  },
  device,
  controls: {
    label: "Controles de la reunión",
    microphoneOn: "Silenciar",
    microphoneOff: "Activar micrófono",
    cameraOn: "Apagar cámara",
    cameraOff: "Encender cámara",
    shareOn: "Dejar de compartir",
    shareOff: "Compartir pantalla",
    handOn: "Bajar la mano",
    handOff: "Levantar la mano",
    reactions: "Reacciones",
    chat: "Chat",
    chatUnread: (count) => `Chat, ${count} sin leer`,
    devices: "Dispositivos",
    help: "Ayuda",
    recordOn: "Detener grabación",
    recordOff: "Grabar",
    recordBusy: "Un momento …",
    recordings: "Grabaciones",
    leave: "Salir",
    startAudio: "Activar el sonido",
    startVideo: "Mostrar las imágenes",
    retryDevice: "Intentar de nuevo",
    dismiss: "Descartar",
    close: "Cerrar",
  },
  meeting: {
    participants: "Personas en la reunión",
    count: (count) => (count === 1 ? "1 persona aquí" : `${count} personas aquí`),
    alone: "Todavía no hay nadie más.",
    nobodyPublishes: "Esperando a que alguien hable …",
    you: (name) => `${name} (tú)`,
    screenOf: (name) => `Pantalla de ${name}`,
    ownScreen: "Tu pantalla",
    muted: "silenciado",
    speaking: "hablando",
    recording: "Grabando",
    watching: "Estás mirando",
    locked: "Cerrada con llave",
    reconnecting: "Conexión perdida. Reconectando …",
    blockedSound: "El navegador retiene el sonido.",
    blockedVideo: "El navegador retiene las imágenes.",
  },
  announce: {
    joined: (names) => `${several(names)}: en la reunión`,
    left: (names) => `${several(names)}: fuera de la reunión`,
    inMeeting: "Estás en la reunión",
    recordingOn: "Esta reunión se está grabando",
    recordingOff: "La grabación se ha detenido",
    recordingReady: "La grabación está lista",
    recordingDeleted: "La grabación está borrada",
    reconnecting: "Conexión perdida, reconectando",
    reconnected: "Conectado de nuevo",
    returning: "Se perdió la conexión. La página vuelve por sí sola cuando haya red.",
    message: (name, message) => `${name} escribió: ${message}`,
    messages: (count) => `${count} mensajes nuevos`,
    microphone: { on: "Tu micrófono está encendido", off: "Tu micrófono está silenciado" },
    camera: { on: "Tu cámara está encendida", off: "Tu cámara está apagada" },
    shareOn: "Estás compartiendo tu pantalla",
    shareOff: "Ya no compartes tu pantalla",
    screenShared: (name) => `${name} comparte una pantalla`,
    screenEnded: (name) => `${name} ya no comparte una pantalla`,
    locked: "La sala está cerrada",
    unlocked: "La sala está abierta de nuevo",
    handUp: "Tu mano está levantada",
    handDown: "Tu mano está bajada",
    handsRaised: (names) => `Mano levantada: ${several(names)}`,
  },
  chat: {
    title: "Chat",
    empty: "Todavía no hay mensajes. Los ven todos los que están aquí ahora, y no se guardan.",
    messages: "Mensajes",
    newer: "Mensajes más nuevos",
    input: "Mensaje para todos",
    send: "Enviar",
    you: "Tú",
    failed: "No enviado.",
    sendAgain: "Enviar de nuevo",
  },
  people: {
    reactions: ["Pulgar arriba", "Pulgar abajo", "Aplauso", "Corazón", "Risa", "Sorpresa", "Celebración"],
    hand: (place) => `mano levantada, número ${place}`,
  },
  recordings: {
    title: "Grabaciones",
    loading: "Buscando grabaciones …",
    empty: "En esta reunión aún no se ha grabado nada.",
    notStarted: "Grabación",
    status: {
      STARTING: "Empezando",
      ACTIVE: "Grabando ahora",
      ENDING: "Terminándose",
      COMPLETE: "Lista",
      LIMITED_REACHED: "Lista, detenida por un límite",
      FAILED: "Falló, se perdió el contenido",
      ABORTED: "No se grabó nada",
    },
    duration: "Duración",
    size: "Tamaño",
    play: "Reproducir",
    playOf: (when) => `Reproducir la grabación del ${when}`,
    download: "Descargar",
    downloadOf: (when) => `Descargar la grabación del ${when}`,
    delete: "Borrar",
    deleteOf: (when) => `Borrar la grabación del ${when}`,
    deleteTitle: "¿Borrar esta grabación?",
    deleteWarning: (when) => `La grabación del ${when} se borra para todos y no se puede recuperar.`,
    keep: "Conservar",
    playerTitle: (when) => `Grabación del ${when}`,
  },
  notices: {
    device_added: (kind, label) => `${device[kind]} nuevo: ${label}`,
    device_replaced: (kind, label) => `${device[kind]}: se desconectó. Ahora en uso: ${label}`,
    silent_microphone: "Tu micrófono no da sonido. Puede estar apagado en el propio aparato.",
    muted_by_moderator: "Un moderador te silenció",
    actions: {
      device_added: "Usarlo",
      device_replaced: "Elegir otro",
      silent_microphone: "Elegir otro",
      muted_by_moderator: "Activar micrófono",
    },
  },
  devicesDialog: { title: "Dispositivos", hideSelf: "Ocultar mi propia imagen" },
  layout: {
    speaker: "Vista de orador",
    grid: "Vista de cuadrícula",
    pin: (name) => `Fijar a ${name}`,
    unpin: (name) => `Soltar a ${name}`,
    page: (page, pages) => `Página ${page} de ${pages}`,
    previous: "Página anterior",
    next: "Página siguiente",
  },
  fullScreen: { enter: "Pantalla completa", leave: "Salir de pantalla completa" },
  help: {
    title: "Ayuda",
    shortcuts: "Atajos de teclado",
    enabled: "Usar atajos de una sola tecla",
    keys: {
      m: "Silenciar o activar el micrófono",
      v: "Encender o apagar la cámara",
      s: "Empezar o dejar de compartir la pantalla",
      c: "Abrir o cerrar el chat",
      h: "Levantar o bajar la mano",
      "?": "Abrir esta ayuda",
      Esc: "Cerrar un panel o diálogo",
    },
  },
  returning: {
    title: "Se perdió la conexión",
    advice: "La página vuelve por sí sola en cuanto haya red, con la cámara y el micrófono como estaban.",
    tryNow: "Intentar ahora",
  },
  ended: {
    left: { title: "Saliste de la reunión", advice: "Puedes cerrar esta ventana." },
    again: "Entrar de nuevo",
    retry: "Intentar de nuevo",
  },
};
