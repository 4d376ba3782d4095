import type { Catalogue } from "../en/index.ts";

export const chat: Catalogue["chat"] = {
  title: "Chat",
  empty: "Todavía no hay mensajes. Quienes lleguen después también los ven, hasta que acabe la reunión.",
  emptyNotKept: "Todavía no hay mensajes. Solo los ven quienes están aquí ahora.",
  messages: "Mensajes",
  newer: "Mensajes más nuevos",
  input: "Mensaje para todos",
  send: "Enviar",
  you: "Tú",
  failed: "No enviado.",
  sendAgain: "Enviar de nuevo",
  tooLong: (more) => `Sobran ${more} caracteres`,
  showAll: "Mostrar todo",
  copy: "Copiar",
  copied: "Copiado",
  attach: "Enviar un archivo",
  fileTooLarge: (limit) => `Los archivos pueden tener hasta ${limit}`,
  download: (name) => `Descargar ${name}`,
  cancel: "Cancelar",
  gone: "Ya no se guarda aquí",
  progressOf: (name) => `Enviando ${name}`,
};
