import type { Catalogue } from "./en.ts";
import { listOf } from "./lists.ts";

const several = (names: readonly string[]) => listOf("fr", names, (count) => `${count} autres`);

const errors: Catalogue["errors"] = {
  no_link: {
    title: "Tertulia fonctionne",
    advice:
      "Ouvrez le lien d’une réunion pour y entrer. Les applications créent salles et liens par l’API : voir /meet/api/v1/docs.",
  },
  link_not_valid: {
    title: "Ce lien n’est pas valable",
    advice: "Il est peut-être coupé ou périmé. Demandez-en un autre à la personne qui vous a invité.",
  },
  meeting_over: {
    title: "Cette réunion est terminée ou n’existe pas",
    advice: "Elle a pris fin, a expiré ou a été supprimée. Demandez un autre lien à la personne qui vous a invité.",
  },
  name_taken: {
    title: "Un participant porte déjà ce nom",
    advice: "Choisissez un autre nom, par exemple avec votre nom de famille.",
  },
  name_not_valid: {
    title: "Ce nom ne peut pas servir",
    advice: "Utilisez de 1 à 128 lettres, chiffres ou autres caractères visibles.",
  },
  login_needed: {
    title: "Seuls les utilisateurs connectés peuvent entrer",
    advice: "Cette page ne permet pas de se connecter. Demandez à la personne qui vous a invité comment entrer.",
  },
  too_many_tries: { title: "Trop d’essais", advice: "Attendez une minute, puis réessayez." },
  full: {
    title: "La réunion est complète",
    advice: "Réessayez quand un participant sera parti, ou demandez plus de places à l’organisateur.",
  },
  not_admitted: {
    title: "Le serveur ne vous a pas laissé entrer",
    advice: "Votre place dans cette réunion n’est plus valable. Ouvrez le lien à nouveau.",
  },
  removed: {
    title: "Un modérateur vous a retiré de la réunion",
    advice: "Si vous pensez que c’est une erreur, contactez l’organisateur.",
  },
  joined_elsewhere: {
    title: "Vous êtes entré depuis une autre fenêtre ou un autre appareil",
    advice: "Continuez là-bas, ou entrez ici à nouveau, ce qui ferme l’autre.",
  },
  server_unreachable: {
    title: "Le serveur est injoignable",
    advice: "Vérifiez votre connexion à internet, puis réessayez.",
  },
  server_stopping: { title: "Le serveur redémarre", advice: "Attendez une minute, puis entrez à nouveau." },
  media_blocked: {
    title: "L’image et le son ne passent pas",
    advice:
      "Votre réseau semble bloquer les appels vidéo. Essayez un autre réseau, ou demandez à son administrateur d’autoriser WebRTC.",
  },
  connection_lost: {
    title: "La connexion a été perdue",
    advice: "Vérifiez votre connexion à internet, puis entrez à nouveau.",
  },
  no_webrtc: {
    title: "Ce navigateur ne permet pas les réunions vidéo",
    advice: "Ouvrez le lien dans un Chrome, Edge, Firefox ou Safari récent.",
  },
  unexpected: { title: "Quelque chose a échoué", advice: "Réessayez. Si cela se répète, prévenez l’organisateur." },
  device_denied: {
    title: "Le navigateur n’a pas le droit de l’utiliser",
    advice: "Autorisez-le avec le symbole à côté de l’adresse, puis rallumez-le. Vous pouvez aussi entrer sans lui.",
  },
  device_denied_by_system: {
    title: "Le système ne laisse pas le navigateur l’utiliser",
    advice:
      "Autorisez-le dans les réglages de confidentialité du système (caméra et micro), puis rallumez-le. Vous pouvez aussi entrer sans lui.",
  },
  device_blocked_by_page: {
    title: "La page qui contient cette réunion ne le permet pas",
    advice:
      'L’iframe de la réunion a besoin de allow="camera; microphone". Prévenez les responsables de cette page. Vous pouvez aussi entrer sans lui.',
  },
  device_missing: {
    title: "Aucun n’a été trouvé",
    advice: "Branchez-en un, puis rallumez-le. Vous pouvez aussi entrer sans lui.",
  },
  device_in_use: {
    title: "Un autre programme l’utilise",
    advice: "Fermez l’autre programme, puis rallumez-le. Vous pouvez aussi entrer sans lui.",
  },
  device_insecure: {
    title: "Le navigateur ne le permet que sur des pages sûres",
    advice: "Ouvrez la réunion avec une adresse https://. Vous pouvez aussi entrer sans lui.",
  },
  device_failed: {
    title: "Il n’a pas démarré",
    advice: "Rebranchez-le ou choisissez-en un autre. Vous pouvez aussi entrer sans lui.",
  },
  share_failed: {
    title: "Votre écran ne peut pas être partagé",
    advice: "Le système n’a pas livré l’image. Autorisez l’enregistrement de l’écran au navigateur, puis réessayez.",
  },
  share_denied_by_system: {
    title: "Le système ne laisse pas le navigateur voir l’écran",
    advice:
      "Sur un Mac : Réglages Système → Confidentialité et sécurité → Enregistrement de l’écran et de l’audio du système : activez le navigateur et relancez-le.",
  },
  share_refused: {
    title: "Le navigateur a refusé de partager l’écran sans vous demander",
    advice:
      "Une règle de cet ordinateur peut l’interdire (dans Chrome et Edge : ScreenCaptureAllowed). Demandez à son administrateur.",
  },
  share_blocked_by_page: {
    title: "La page qui contient cette réunion ne permet pas de partager l’écran",
    advice:
      'L’iframe de la réunion a besoin de allow="display-capture". Prévenez les responsables de cette page, ou ouvrez la réunion dans son propre onglet.',
  },
  action_failed: {
    title: "Cela n’a pas marché",
    advice: "La personne est peut-être partie, ou votre rôle a changé. Réessayez.",
  },
  recording_off: {
    title: "L’enregistrement est désactivé pour cette réunion",
    advice: "Demandez à l’organisateur de l’autoriser.",
  },
  recording_conflict: {
    title: "Un autre modérateur a été plus rapide",
    advice: "L’enregistrement est déjà lancé ou arrêté. Regardez la marque en haut.",
  },
  recording_failed: {
    title: "L’enregistrement n’a pas démarré",
    advice: "Le serveur ne peut pas enregistrer en ce moment. Réessayez dans une minute, ou prévenez l’organisateur.",
  },
  recording_gone: { title: "Cet enregistrement n’existe plus", advice: "Il a été supprimé." },
  recording_running: {
    title: "L’enregistrement n’est pas terminé",
    advice: "Attendez qu’il soit prêt, puis réessayez.",
  },
  recordings_unavailable: {
    title: "Les enregistrements sont injoignables en ce moment",
    advice: "Rien n’est perdu. Réessayez dans une minute, ou prévenez l’organisateur.",
  },
  recording_unplayable: {
    title: "L’enregistrement ne se lit pas",
    advice: "Vérifiez votre connexion et relancez la lecture, ou téléchargez-le et ouvrez-le dans un lecteur.",
  },
};

const device = { camera: "Caméra", microphone: "Micro", defaultChoice: "Par défaut", level: "Niveau du micro" };

export const fr: Catalogue = {
  errors,
  failedPart: {
    title: (part) => `${part} : cette partie de la page a échoué.`,
    advice: "Le son et les images continuent.",
    retry: "L’afficher à nouveau",
  },
  page: "La page de la réunion",
  appName: "Tertulia",
  loading: "Ouverture de la réunion …",
  prejoin: {
    title: "Entrer dans la réunion",
    titleOf: (room) => `Entrer dans « ${room} »`,
    nameLabel: "Votre nom",
    namePlaceholder: "Comme les autres vous verront",
    nameMissing: "Indiquez votre nom.",
    watchOnly: "Avec ce lien, vous regardez et écoutez. Les autres ne vous voient pas et ne vous entendent pas.",
    noPicture: "Votre caméra est éteinte",
    previewLabel: "Votre propre image",
    join: "Entrer",
    joining: "Entrée …",
  },
  device,
  controls: {
    label: "Commandes de la réunion",
    microphoneOn: "Couper le micro",
    microphoneOff: "Ouvrir le micro",
    cameraOn: "Éteindre la caméra",
    cameraOff: "Allumer la caméra",
    shareOn: "Ne plus partager",
    shareOff: "Partager l’écran",
    handOn: "Baisser la main",
    handOff: "Lever la main",
    reactions: "Réactions",
    chat: "Chat",
    chatUnread: (count) => `Chat, ${count} non lus`,
    devices: "Appareils",
    help: "Aide",
    recordOn: "Arrêter l’enregistrement",
    recordOff: "Enregistrer",
    recordBusy: "Un instant …",
    recordings: "Enregistrements",
    leave: "Quitter",
    startAudio: "Activer le son",
    startVideo: "Montrer les images",
    retryDevice: "Réessayer",
    dismiss: "Masquer",
    close: "Fermer",
  },
  meeting: {
    participants: "Personnes dans la réunion",
    count: (count) => (count === 1 ? "1 personne ici" : `${count} personnes ici`),
    alone: "Personne d’autre n’est encore là.",
    nobodyPublishes: "En attente d’un intervenant …",
    you: (name) => `${name} (vous)`,
    screenOf: (name) => `Écran de ${name}`,
    ownScreen: "Votre écran",
    muted: "micro coupé",
    speaking: "parle",
    recording: "Enregistrement",
    watching: "Vous regardez",
    locked: "Verrouillée",
    reconnecting: "Connexion perdue. Reconnexion …",
    blockedSound: "Le navigateur retient le son.",
    blockedVideo: "Le navigateur retient les images.",
  },
  announce: {
    joined: (names) => `Entrée : ${several(names)}`,
    left: (names) => `Départ : ${several(names)}`,
    inMeeting: "Vous êtes dans la réunion",
    recordingOn: "Cette réunion est enregistrée",
    recordingOff: "L’enregistrement est arrêté",
    recordingReady: "L’enregistrement est prêt",
    recordingDeleted: "L’enregistrement est supprimé",
    reconnecting: "Connexion perdue, reconnexion",
    reconnected: "Connecté à nouveau",
    returning: "La connexion a été perdue. La page revient d’elle-même quand le réseau est là.",
    message: (name, message) => `${name} a écrit : ${message}`,
    messages: (count) => `${count} nouveaux messages`,
    microphone: { on: "Votre micro est ouvert", off: "Votre micro est coupé" },
    camera: { on: "Votre caméra est allumée", off: "Votre caméra est éteinte" },
    shareOn: "Vous partagez votre écran",
    shareOff: "Vous ne partagez plus votre écran",
    screenShared: (name) => `${name} partage un écran`,
    screenEnded: (name) => `${name} ne partage plus d’écran`,
    locked: "La salle est verrouillée",
    unlocked: "La salle est à nouveau ouverte",
    handUp: "Votre main est levée",
    handDown: "Votre main est baissée",
    handsRaised: (names) => `Main levée : ${several(names)}`,
  },
  chat: {
    title: "Chat",
    empty: "Pas encore de messages. Tous ceux qui sont là maintenant les voient ; ils ne sont pas gardés.",
    messages: "Messages",
    newer: "Messages plus récents",
    input: "Message à tous",
    send: "Envoyer",
    you: "Vous",
    failed: "Non envoyé.",
    sendAgain: "Renvoyer",
  },
  people: {
    reactions: ["Pouce levé", "Pouce baissé", "Applaudissements", "Cœur", "Rire", "Surprise", "Fête"],
    hand: (place) => `main levée, numéro ${place}`,
  },
  recordings: {
    title: "Enregistrements",
    loading: "Recherche des enregistrements …",
    empty: "Rien n’a encore été enregistré dans cette réunion.",
    notStarted: "Enregistrement",
    status: {
      STARTING: "Démarrage",
      ACTIVE: "En cours",
      ENDING: "En finition",
      COMPLETE: "Prêt",
      LIMITED_REACHED: "Prêt, arrêté par une limite",
      FAILED: "Échec, le contenu est perdu",
      ABORTED: "Rien n’a été enregistré",
    },
    duration: "Durée",
    size: "Taille",
    play: "Lire",
    playOf: (when) => `Lire l’enregistrement du ${when}`,
    download: "Télécharger",
    downloadOf: (when) => `Télécharger l’enregistrement du ${when}`,
    delete: "Supprimer",
    deleteOf: (when) => `Supprimer l’enregistrement du ${when}`,
    deleteTitle: "Supprimer cet enregistrement ?",
    deleteWarning: (when) => `L’enregistrement du ${when} est supprimé pour tous et ne peut pas être récupéré.`,
    keep: "Garder",
    playerTitle: (when) => `Enregistrement du ${when}`,
  },
  notices: {
    device_added: (kind, label) => `${device[kind]} à disposition : ${label}`,
    device_replaced: (kind, label) => `${device[kind]} débranché. Maintenant utilisé : ${label}`,
    silent_microphone: "Votre micro ne donne aucun son. Il est peut-être éteint sur l’appareil.",
    muted_by_moderator: "Un modérateur a coupé votre micro",
    actions: {
      device_added: "L’utiliser",
      device_replaced: "En choisir un autre",
      silent_microphone: "En choisir un autre",
      muted_by_moderator: "Ouvrir le micro",
    },
  },
  devicesDialog: { title: "Appareils", hideSelf: "Cacher ma propre image" },
  layout: {
    speaker: "Vue de l’intervenant",
    grid: "Vue en grille",
    pin: (name) => `Épingler ${name}`,
    unpin: (name) => `Détacher ${name}`,
    page: (page, pages) => `Page ${page} sur ${pages}`,
    previous: "Page précédente",
    next: "Page suivante",
  },
  fullScreen: { enter: "Plein écran", leave: "Quitter le plein écran" },
  help: {
    title: "Aide",
    shortcuts: "Raccourcis clavier",
    enabled: "Utiliser les raccourcis à une touche",
    keys: {
      m: "Couper ou ouvrir le micro",
      v: "Allumer ou éteindre la caméra",
      s: "Partager l’écran ou arrêter",
      c: "Ouvrir ou fermer le chat",
      h: "Lever ou baisser la main",
      "?": "Ouvrir cette aide",
      Esc: "Fermer un panneau ou une fenêtre",
    },
  },
  returning: {
    title: "La connexion a été perdue",
    advice: "La page revient d’elle-même dès que le réseau est là, avec caméra et micro comme avant.",
    tryNow: "Essayer maintenant",
  },
  ended: {
    left: { title: "Vous avez quitté la réunion", advice: "Vous pouvez fermer cette fenêtre." },
    again: "Entrer à nouveau",
    retry: "Réessayer",
  },
};
