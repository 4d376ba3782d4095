import type { Catalogue } from "../en/index.ts";

export const chat: Catalogue["chat"] = {
  title: "Chat",
  empty: "Pas encore de messages. Ceux qui arrivent plus tard les voient aussi, jusqu’à la fin de la réunion.",
  emptyNotKept: "Pas encore de messages. Seuls ceux qui sont là maintenant les voient.",
  messages: "Messages",
  newer: "Messages plus récents",
  input: "Message à tous",
  send: "Envoyer",
  you: "Vous",
  failed: "Non envoyé.",
  sendAgain: "Renvoyer",
  tooLong: (more) => `Trop long de ${more} caractères`,
  showAll: "Tout afficher",
  copy: "Copier",
  copied: "Copié",
  attach: "Envoyer un fichier",
  fileTooLarge: (limit) => `Les fichiers peuvent faire jusqu’à ${limit}`,
  download: (name) => `Télécharger ${name}`,
  cancel: "Annuler",
  gone: "N’est plus gardé ici",
  progressOf: (name) => `Envoi de ${name}`,
};
