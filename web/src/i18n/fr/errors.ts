import type { Catalogue } from "../en/index.ts";

export const errors: Catalogue["errors"] = {
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
  room_locked: {
    title: "La salle est verrouillée",
    advice: "Un modérateur l’a verrouillée. Demandez à entrer, puis réessayez.",
  },
  lobby: {
    title: "Cette réunion a une salle d’attente",
    advice: "Entrez à nouveau et attendez qu’un modérateur vous admette.",
  },
  lobby_refused: {
    title: "Vous n’avez pas été admis",
    advice: "Un modérateur en a décidé ainsi. Si vous pensez que c’est une erreur, contactez l’organisateur.",
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
  background_failed: {
    title: "L’arrière-plan n’a pas démarré",
    advice: "Choisissez-en un autre ou aucun sous Appareils, puis réessayez.",
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
