import type { Catalogue } from "../en/index.ts";

export const errors: Catalogue["errors"] = {
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
  room_locked: {
    title: "La sala está cerrada",
    advice: "La cerró un moderador. Pide que te dejen entrar e inténtalo de nuevo.",
  },
  lobby: {
    title: "Esta reunión tiene sala de espera",
    advice: "Entra otra vez y espera a que un moderador te deje pasar.",
  },
  lobby_refused: {
    title: "No te dejaron entrar",
    advice: "Así lo decidió un moderador. Si crees que fue un error, habla con quien la organiza.",
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
  background_failed: {
    title: "El fondo no se ha iniciado",
    advice: "Elige otro o ninguno en Dispositivos e inténtalo de nuevo.",
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
