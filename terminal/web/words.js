// Every word of the page, by language; English stands in for languages that are not here.

const EN = {
  ledger: "Central ledger", queue: "To be sent", readers: "Readers", conflicts: "To be cleared up",
  recent: "Latest transactions", none: "None since the till was started.",
  linked: "Connected to the till", opening: "Connecting to the till…",
  lost: "This page has lost the till. What it shows may be old; it reconnects by itself. If this stays, tell a technician.",
  present: "Present a card", lastCard: "Last card",
  ladder: "What can be tried",
  step: {
    tap_again: "Tap again", turn: "Turn over", scan_qr: "QR code", scan_bar: "Bar code", key_number: "Card number",
    phone: "Phone number", no_card: "No card",
  },
  points: (n) => (Math.abs(n) === 1 ? "point" : "points"),
  unknownBalance: "The balance is not known yet; sales count all the same.",
  asOf: (time) => `certain as of ${time}`, pending: (n) => `${n > 0 ? "+" : ""}${n} not confirmed yet`,
  estimate: "estimate", inactive: (n) => `${n} usable later`,
  reachable: "Reachable", unreachable: "Out of reach", goesOn: "sales go on; points are sent later",
  heard: (time) => `last heard ${time}`, never: "not heard since the start", next: (time) => `next try ${time}`,
  nothingWaits: "Everything has been sent.", oldest: (age) => `the oldest waits ${age}`,
  sending: (left, time) => `sending: ${left} to go${time ? `, about ${time} left` : ""}`,
  seconds: (n) => `${n} s`, minutes: (n) => `${n} min`, hours: (n) => `${n} h`, days: (n) => `${n} d`,
  tested: "being tested", testedNote: "A technician tests it: use another reader, or key the number.",
  noReaders: "No reader is set up.", noCard: "no card",
  reader: {
    ready: "ready", reconnecting: "reconnecting", absent: "not plugged in", held: "in use by another program",
    forbidden: "not permitted", stopped: "stopped", failing: "failing",
  },
  state: {
    queued: "kept here", accepted: "received", posted: "booked", parked: "under review", conflict: "conflict",
    resolved: "resolved",
  },
  kind: { earn: "Points earned", redeem: "Points redeemed", reverse: "Reversal", release: "Promise given back", claim: "Code credited", card_event: "Card changed", correction: "Decision" },
  takenBack: "Points taken back", givenBack: "Points given back",
  promise: { held: "promised ahead of need", floor: "without the ledger, within the offline limits" },
  claim: "Code for a customer without a card: scan it later to credit the points.",
  withoutCard: "Sale without a card", claimHow: "The customer takes a photo of this code. Any till credits it, once.",
  showCode: "Show the code", ending: (digits) => `card ending in ${digits}`,
  alone: "Connected; the ledger is out of reach",
  conflictsHint: "Nothing is lost. A person decides: head office, or a technician at this till.",
  more: (n, shown) => `and ${shown} more`,
  underReview: "Under review", notCounted: "These points are not in the total yet.",
  soundOn: "Sound on", soundOff: "Sound off", help: "Keys", close: "Close",
  keyList: [
    ["F1", "This list"], ["F2", "Sound on or off"], ["F4", "What can be tried when a card is not read"],
    ["F8", "Next customer: clear the screen"], ["F9", "What is to be cleared up"], ["Tab, Enter", "Go on, choose"],
  ],
};

const FR = {
  ledger: "Serveur de points", queue: "À envoyer", readers: "Lecteurs", conflicts: "À vérifier",
  recent: "Dernières opérations", none: "Aucune depuis le démarrage de la caisse.",
  linked: "Reliée à la caisse", opening: "Connexion à la caisse…",
  lost: "Cette page a perdu le contact avec la caisse. Ce qu'elle montre peut être ancien ; elle se reconnecte seule. Si cela dure, prévenez un technicien.",
  present: "Présentez une carte", lastCard: "Dernière carte",
  ladder: "Ce qui peut être essayé",
  step: {
    tap_again: "Reposer", turn: "Retourner", scan_qr: "QR code", scan_bar: "Code-barres", key_number: "Numéro de carte",
    phone: "Téléphone", no_card: "Sans carte",
  },
  points: (n) => (Math.abs(n) < 2 ? "point" : "points"),
  unknownBalance: "Le solde n'est pas encore connu ; les achats comptent quand même.",
  asOf: (time) => `solde vérifié : ${time}`, pending: (n) => `${n > 0 ? "+" : ""}${n} à confirmer`,
  estimate: "estimation", inactive: (n) => `${n} ${Math.abs(n) < 2 ? "utilisable" : "utilisables"} plus tard`,
  reachable: "Joignable", unreachable: "Injoignable", goesOn: "les ventes continuent ; les points partiront plus tard",
  heard: (time) => `dernier contact ${time}`, never: "aucun contact depuis le démarrage", next: (time) => `prochain essai ${time}`,
  nothingWaits: "Tout est envoyé.", oldest: (age) => `la plus ancienne attend depuis ${age}`,
  sending: (left, time) => `envoi en cours : encore ${left}${time ? `, environ ${time}` : ""}`,
  seconds: (n) => `${n} s`, minutes: (n) => `${n} min`, hours: (n) => `${n} h`, days: (n) => `${n} j`,
  tested: "en test", testedNote: "Un technicien le teste : prenez un autre lecteur ou saisissez le numéro.",
  noReaders: "Aucun lecteur n'est configuré.", noCard: "sans carte",
  reader: {
    ready: "prêt", reconnecting: "se reconnecte", absent: "débranché", held: "pris par un autre programme",
    forbidden: "accès refusé", stopped: "arrêté", failing: "en panne",
  },
  state: {
    queued: "gardée ici", accepted: "reçue", posted: "comptée", parked: "à vérifier", conflict: "contestée",
    resolved: "tranchée",
  },
  kind: { earn: "Points gagnés", redeem: "Points utilisés", reverse: "Annulation", release: "Promesse rendue", claim: "Code crédité", card_event: "Changement de carte", correction: "Décision" },
  takenBack: "Points repris", givenBack: "Points rendus",
  promise: { held: "promis à l'avance", floor: "sans le serveur, dans les limites hors ligne" },
  claim: "Code pour un client sans carte : scannez-le plus tard pour créditer les points.",
  withoutCard: "Vente sans carte", claimHow: "Le client photographie ce code. Toute caisse le crédite, une fois.",
  showCode: "Montrer le code", ending: (digits) => `carte se terminant par ${digits}`,
  alone: "Reliée ; serveur de points injoignable",
  conflictsHint: "Rien n'est perdu. Une personne décide : le siège, ou un technicien à cette caisse.",
  more: (n, shown) => (n === 1 ? "et un autre" : `et ${shown} autres`),
  underReview: "À vérifier", notCounted: "Ces points ne sont pas encore dans le total.",
  soundOn: "Son activé", soundOff: "Son coupé", help: "Touches", close: "Fermer",
  keyList: [
    ["F1", "Cette liste"], ["F2", "Activer ou couper le son"], ["F4", "Ce qu'on peut essayer quand une carte n'est pas lue"],
    ["F8", "Client suivant : vider l'écran"], ["F9", "Ce qui est à vérifier"], ["Tab, Entrée", "Avancer, choisir"],
  ],
};

export function wordsFor(languages) {
  const known = { fr: FR, en: EN };
  const code = languages.map((language) => language.slice(0, 2).toLowerCase()).find((each) => each in known) ?? "en";
  return { code, words: known[code] };
}
